export { type Copied, type Expected, ObjectStore, type ObjectStoreSettings } from './object-store.client';
