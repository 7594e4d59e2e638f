export * from '@front/useLive'
