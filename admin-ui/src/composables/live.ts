export * from '@front/live'
