import './global-setup.mts';

export default async function globalTeardown(): Promise<void> {
  await globalThis.refrainTestInfra?.stop();
}
