import type { Answer } from '#libs/contracts';
import { type Needs, needsOf, type Recipe, type Uses, usesOf } from '#libs/recipes';
import type { HubspotAccounts, HubspotClient, Pipeline } from '#libs/vendors/hubspot';
import { wishesOf } from '../hubspot-properties';
import { type AccountFacts, judgeAccount } from './account';
import { hubspotDoor } from './door';
import { type Finding, finding } from './finding';
import { type Defined, judgePreparation, judgeProperties, judgeStages } from './portal';
import { byKey, type Check } from './run';
import { judgeWebhooks } from './webhooks';

/** A tenant whose account is looked at, as it is declared, for these recipes. */
export interface AccountToCheck {
  tenant: string;
  recipes: readonly Recipe[];
  accounts: HubspotAccounts;
  portals?: readonly number[];
  config: { HUBSPOT_DEVELOPER_KEY?: string; PUBLIC_URL?: string };
}

interface Portal extends AccountToCheck {
  where: string;
  client: HubspotClient;
  uses: Uses;
  needs: Needs;
  /** Read once, for all checks that need it. */
  account: (signal: AbortSignal) => Promise<AccountFacts>;
}

/** The checks of a tenant's account; what is in its portal is looked at only where the token is taken. */
export function hubspotChecks(of: AccountToCheck): Check[] {
  const portal = portalOf(of);
  const { tenant, where, uses } = portal;
  const ifTaken = (look: (signal: AbortSignal) => Promise<Finding[]>) => async (signal: AbortSignal) =>
    (await portal.account(signal)).account.outcome === 'done' ? look(signal) : [];
  return [
    { name: `${where}: token and limits`, run: async (signal) => judgeAccount(await portal.account(signal)) },
    {
      name: `${where}: properties`,
      run: ifTaken(async (signal) =>
        judgeProperties({ tenant, uses: uses.properties, defined: await definedIn(portal, signal) }),
      ),
    },
    {
      name: `${where}: what init hubspot makes`,
      run: ifTaken(async (signal) => {
        const prepared = wishesOf(uses.properties).map((wishes) => portal.client.preparation(wishes, signal));
        return (await Promise.all(prepared)).flatMap((one) => judgePreparation(tenant, told(one), uses.properties));
      }),
    },
    {
      name: `${where}: stages`,
      run: ifTaken(async (signal) =>
        judgeStages({ tenant, stages: uses.stages, pipelines: await pipelinesIn(portal, signal) }),
      ),
    },
    { name: `${where}: webhooks`, run: (signal) => webhooks(portal, signal) },
  ];
}

function portalOf(of: AccountToCheck): Portal {
  const { tenant, recipes, accounts, portals } = of;
  const where = `HubSpot account ${tenant}`;
  const client = accounts.of(tenant);
  const needs = needsOf(recipes, tenant, accounts.timeline(tenant));
  let reading: Promise<AccountFacts> | undefined;
  const read = async (signal: AbortSignal): Promise<AccountFacts> => {
    const [token, account] = await Promise.all([accounts.tokenInfo(tenant, signal), client.accountInfo(signal)]);
    const [declaredApp, plan] = [accounts.appId(tenant), accounts.plan(tenant)];
    return {
      where,
      ...(declaredApp === undefined ? {} : { declaredApp }),
      ...(portals ? { declaredPortals: portals } : {}),
      ...(plan ? { plan } : {}),
      scopes: needs.scopes,
      token,
      account,
    };
  };
  const account = (signal: AbortSignal) => (reading ??= read(signal));
  return { ...of, where, client, uses: usesOf(recipes, tenant), needs, account };
}

function definedIn({ client, uses }: Portal, signal: AbortSignal): Promise<Map<string, Answer<Defined>>> {
  return byKey(
    uses.properties.map(({ object }) => object),
    async (object) => {
      const present = await client.properties(object, signal);
      if (present.outcome !== 'done') return present;
      const names = new Set(present.value.map(({ name }) => name));
      const isComplete = uses.properties.every((use) => use.object !== object || names.has(use.property));
      const archived = isComplete ? undefined : await client.properties(object, signal, true);
      const gone = archived?.outcome === 'done' ? archived.value.map(({ name }) => name) : [];
      return { outcome: 'done', value: { present: present.value, archived: gone } };
    },
  );
}

const pipelinesIn = ({ client, uses }: Portal, signal: AbortSignal): Promise<Map<string, Pipeline[]>> =>
  byKey(
    uses.stages.map(({ object }) => object),
    async (object) => told(await client.pipelines(object, signal)),
  );

/** What the check says where HubSpot does not tell. */
function told<T>(answer: Answer<T>): T {
  if (answer.outcome === 'done') return answer.value;
  throw new Error(`HubSpot said ${answer.code}: ${answer.message}`);
}

const LOOK_YOURSELF =
  'Compare a project app with what `refrain init hubspot-app` writes, and a private one with its settings; for a legacy ' +
  'public one set HUBSPOT_DEVELOPER_KEY.';

async function webhooks({ config, account, ...portal }: Portal, signal: AbortSignal): Promise<Finding[]> {
  const { client, needs } = portal;
  if (needs.subscriptions.length === 0) return [];
  const where = `${portal.where}: webhooks`;
  const unread = (what: string) => [finding('subscriptions-unread', where, what, LOOK_YOURSELF)];
  const { HUBSPOT_DEVELOPER_KEY: developerKey, PUBLIC_URL: publicUrl } = config;
  if (developerKey === undefined) return unread('What the app is subscribed to cannot be read for this kind of app');
  const { token, declaredApp, account: info } = await account(signal);
  const appId = token.outcome === 'done' ? token.value.appId : declaredApp;
  if (info.outcome !== 'done' || appId === undefined) return [];
  const answer = await client.appWebhooks({ appId, developerKey }, signal);
  if (answer.outcome !== 'done') return unread(`What the app is subscribed to cannot be read (${answer.code})`);
  const target = publicUrl === undefined ? {} : { target: hubspotDoor(publicUrl) };
  return judgeWebhooks({ where, needs: needs.subscriptions, webhooks: answer.value, ...target });
}
