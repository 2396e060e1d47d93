import { objectTypeOf, readHubspot } from './hubspot';

const classic = {
  eventId: 4101286121,
  subscriptionId: 7562680,
  portalId: 247187887,
  appId: 50780459,
  occurredAt: 1787843156000,
  subscriptionType: 'contact.propertyChange',
  attemptNumber: 1,
  objectId: 541935488729,
  propertyName: 'email',
  propertyValue: 'ada@example.com',
  changeSource: 'INTEGRATION',
  sourceId: '50780459',
};

describe('an event of the Webhooks API', () => {
  it('is one change of one record', () => {
    expect(readHubspot(classic)).toEqual({
      change: {
        delivery: 'webhook',
        record: { type: 'contact', id: '541935488729' },
        change: 'propertyChange',
        property: 'email',
        value: 'ada@example.com',
        portalId: 247187887,
        appId: 50780459,
        occurredAt: 1787843156000,
        changeSource: 'INTEGRATION',
        sourceId: '50780459',
        identity: '247187887|7562680|contact.propertyChange|contact:541935488729|4101286121|1787843156000|email',
      },
    });
  });

  it('is the same record in its generic form', () => {
    const generic = { ...classic, subscriptionType: 'object.propertyChange', objectTypeId: '0-1', isSensitive: false };
    expect(readHubspot(generic)).toMatchObject({ change: { record: { type: 'contact', id: '541935488729' } } });
  });

  it('has the same identity at every delivery attempt, and another one for another subscription or time', () => {
    const identity = (over: object) => {
      const read = readHubspot({ ...classic, ...over });
      return 'change' in read ? read.change.identity : '';
    };
    expect(identity({ attemptNumber: 5 })).toBe(identity({}));
    const others = [{ subscriptionId: 1 }, { occurredAt: 1 }, { propertyName: 'x' }, { portalId: 1 }, { objectId: 1 }];
    const identities = [{}, ...others].map(identity);
    expect(new Set(identities).size).toBe(identities.length);
  });

  it('of an association belongs to the record it goes out from', () => {
    const { objectId: _, subscriptionId: __, ...rest } = classic;
    const association = {
      ...rest,
      subscriptionType: 'deal.associationChange',
      fromObjectId: 64058987777,
      toObjectId: 58061514894,
    };
    expect(readHubspot(association)).toMatchObject({ change: { record: { type: 'deal', id: '64058987777' } } });
  });

  it('of a type nobody knows is kept', () => {
    expect(readHubspot({ ...classic, subscriptionType: 'quote.levitation' })).toMatchObject({
      change: { record: { type: 'quote' }, change: 'levitation' },
    });
  });

  it.each([
    ['no object', { objectId: undefined }, /objectId/],
    ['an object id that is no number', { objectId: 'abc' }, /objectId/],
    ['no time', { occurredAt: undefined }, /occurredAt/],
    ['a type of another form', { subscriptionType: 'contact' }, /subscriptionType/],
  ])('with %s is refused by name', (_, over, names) => {
    expect(readHubspot({ ...classic, ...over })).toEqual({ error: expect.stringMatching(names) });
  });
});

describe('a workflow’s call', () => {
  const call = {
    objectId: '7',
    propertyName: 'lifecyclestage',
    propertyValue: 'marketingqualifiedlead',
    changeSource: 'AUTOMATION_PLATFORM',
    eventId: '99',
  };

  it('is a change without a time of its own', () => {
    expect(readHubspot(call)).toEqual({
      change: {
        delivery: 'workflow',
        record: { type: 'contact', id: '7' },
        change: 'propertyChange',
        property: 'lifecyclestage',
        value: 'marketingqualifiedlead',
        changeSource: 'AUTOMATION_PLATFORM',
        identity: '99',
      },
    });
  });

  it('without a property only says that the workflow called', () => {
    expect(readHubspot({ hs_object_id: 7, source: 'renewal' })).toMatchObject({
      change: { record: { type: 'contact', id: '7' }, change: 'workflow' },
    });
  });

  it('in the legacy contact shape is found by vid', () => {
    expect(readHubspot({ vid: 7, 'portal-id': 62515, properties: {} })).toMatchObject({
      change: { record: { id: '7' } },
    });
  });

  it.each([[{}], [[]], [null], ['x'], [7], [{ objectId: -1 }], [{ objectId: {} }]])('that is %j is refused', (body) => {
    expect(readHubspot(body)).toEqual({ error: expect.stringMatching(/\S/) });
  });
});

it('knows one name per object type', () => {
  expect(['0-1', '0-3', 'CONTACT', '2-143967026'].map(objectTypeOf)).toEqual([
    'contact',
    'deal',
    'contact',
    '2-143967026',
  ]);
});
