export { HUBSPOT_TOKENS, Installations } from './installations';
export { type AccountSettings, TenantAccounts } from './tenant-accounts';
