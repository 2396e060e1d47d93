export { accountWatch } from './account-watch';
export { budgetSettings, declaredBudgets } from './budgets';
export { budgetWatch } from './budget-watch';
export * from './config';
export * from './health.module';
export { type InstallableApp, installableApps, readInstallable } from './installable';
export { type DeclaredJournal, journalSettings, journalsOf, needsWholeJournal } from './journals';
export * from './logging';
export { Counter, Gauge, meter, readMetrics } from './metrics';
export * from './problem';
export * from './problem-filter';
export * from './request-line';
export { declaredName, NoSecret, secretOf, type SecretPlace, variableName } from './secret-source';
export { type KeyWrapper, mostSealedBytes, OwnKeys, SealBroken, Sealer, sealerOf, sealingKeys } from './seal';
export * from './serve';
export * from './settings';
export * from './telemetry';
export {
  accountsOf,
  hubspotSettings,
  needsAccount,
  type TenantDeclaration,
  tenantsJsonSchema,
  timelineOf,
} from './tenants';
export type { TlsListener } from './tls-listener';
export { type AlertLines, type Standstill, type VendorWatch, vendorWatch } from './vendor-watch';
export * from './version';
export { needsStoreKeys, videoStoreOf, videoStoreSettings } from './video-store';
