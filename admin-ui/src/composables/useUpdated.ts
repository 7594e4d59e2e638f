export * from '@front/useUpdated'
