import type { HubspotChange } from '#libs/contracts';
import type { HubspotConnection, Owner } from '../connections';

/** Whose an event is; where nobody is known to own it, why, and under whom it is kept. */
export type Ownership = { owner: Owner; connection: HubspotConnection } | { unknown: 'unknown-app' | 'unknown-portal' };

/** Finds the owner of an event among the connections whose secret its request was signed by. */
export function ownerOf(connections: readonly HubspotConnection[], change: Ids): Ownership {
  const { appId, portalId } = change;
  const ofApp = connections.filter(({ app }) => app === undefined || appId === undefined || app === appId);
  if (ofApp.length === 0) return { unknown: 'unknown-app' };
  const owners = ofApp.flatMap((connection) =>
    tenantsOf(connection, portalId).map((tenant) => ({
      owner: { tenant, connection: connection.connection },
      connection,
    })),
  );
  // A workflow need not say its portal: then there must be one tenant only that it can be.
  const [owner] = owners;
  return owner && (portalId !== undefined || owners.length === 1) ? owner : { unknown: 'unknown-portal' };
}

type Ids = Pick<HubspotChange, 'appId' | 'portalId'>;

function tenantsOf({ tenants }: HubspotConnection, portalId: number | undefined): string[] {
  if (tenants === undefined) return ['default'];
  return tenants
    .filter(({ portals }) => portalId === undefined || portals.includes(portalId))
    .map(({ tenant }) => tenant);
}

/** Under whom input is kept that nobody owns: no declared tenant may be shown another's data. */
export const nobody = ({ connection, tenants }: HubspotConnection): Owner => ({
  tenant: tenants === undefined ? 'default' : 'unknown',
  connection,
});
