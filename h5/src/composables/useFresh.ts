export * from '@front/useFresh'
