import { objectTypeOf, readHubspot } from './hubspot';
import { subjectOf } from './keys';

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

/** Of the object kinds that have all of them. */
const changes = ['associationChange', 'creation', 'deletion', 'merge', 'propertyChange', 'restore'];
const kinds = ['company', 'contact', 'deal', 'line_item', 'object', 'ticket'];
const subscriptionTypes = [
  ...kinds.flatMap((kind) => changes.map((change) => `${kind}.${change}`)),
  ...['creation', 'deletion', 'merge', 'propertyChange', 'restore'].map((change) => `product.${change}`),
  'contact.privacyDeletion',
  ...['creation', 'deletion', 'newMessage', 'privacyDeletion', 'propertyChange'].map((one) => `conversation.${one}`),
  'event.completed',
];

const head = { eventId: 4101286121, subscriptionId: 25, portalId: 33, appId: 1160452, occurredAt: 1787843156000 };

/** The fields that HubSpot gives an event of a type, beside those that each has. */
function fieldsOf(kind: string, change: string): object {
  const generic = kind === 'object';
  if (change === 'associationChange') {
    const sides = generic ? { fromObjectTypeId: '0-3', toObjectTypeId: '0-1', associationTypeId: 3 } : {};
    return {
      objectId: 8,
      fromObjectId: 7,
      toObjectId: 8,
      associationRemoved: false,
      isPrimaryAssociation: true,
      ...sides,
    };
  }
  const typed = generic ? { objectTypeId: '0-3' } : {};
  switch (change) {
    case 'merge':
      return {
        objectId: 5,
        primaryObjectId: 5,
        mergedObjectIds: [6],
        newObjectId: 7,
        numberOfPropertiesMoved: 2,
        ...typed,
      };
    case 'propertyChange':
      return { objectId: 7, propertyName: 'status', propertyValue: 'OPEN', changeSource: 'CRM_UI', ...typed };
    case 'newMessage':
      return { objectId: 7, messageId: '9b38dc6d5b5744a788931a9cf3a7b225', messageType: 'MESSAGE' };
    default:
      return { objectId: 7, changeFlag: 'CREATED', ...typed };
  }
}

describe('the subscription types', () => {
  it('are the forty-eight that HubSpot lists', () => {
    expect(new Set(subscriptionTypes).size).toBe(48);
  });

  it.each(subscriptionTypes)('%s is read and belongs to its record', (subscriptionType) => {
    const [kind = '', change = ''] = subscriptionType.split('.');
    const read = readHubspot({ ...head, subscriptionType, attemptNumber: 0, ...fieldsOf(kind, change) });
    const type = kind === 'object' ? 'deal' : kind;
    expect('change' in read ? [subjectOf(read.change.record), read.change.change, read.change.portalId] : read).toEqual(
      [`${type}:7`, change, 33],
    );
  });

  it('of a merge without a new record belong to the one that goes on', () => {
    const merge = {
      ...head,
      subscriptionType: 'contact.merge',
      primaryObjectId: 5,
      mergedObjectIds: [6],
      newObjectId: null,
    };
    expect(readHubspot(merge)).toMatchObject({ change: { record: { type: 'contact', id: '5' }, merged: ['6'] } });
    // Whichever record the event is filed under, the primary one goes on.
    expect(readHubspot({ ...merge, objectId: 6 })).toMatchObject({ change: { record: { id: '5' }, merged: ['6'] } });
  });

  it.each(['contact.merge', 'object.merge'])('of %s with a new record: the primary one is merged away too', (type) => {
    const ids = { objectId: 7, objectTypeId: '0-1', primaryObjectId: 5, mergedObjectIds: [6, 5], newObjectId: 7 };
    expect(readHubspot({ ...head, subscriptionType: type, ...ids })).toMatchObject({
      change: { record: { type: 'contact', id: '7' }, merged: ['5', '6'] },
    });
  });

  it.each(['quote.levitation', 'object.a_new_thing', 'list_2.member.added'])(
    'may be unknown: %s is kept',
    (unknown) => {
      const read = readHubspot({ ...head, subscriptionType: unknown, objectId: 7, somethingNew: { a: 1 } });
      expect(read).toMatchObject({ change: { record: { id: '7' }, change: unknown.slice(unknown.indexOf('.') + 1) } });
    },
  );
});

describe('what the test button sends', () => {
  const pressed = { ...classic, eventId: 1, objectId: 123, changeSource: 'CRM', changeFlag: 'NEW' };

  it.each([1, 100])('with the event id %p is known as a test', (eventId) => {
    expect(readHubspot({ ...pressed, eventId })).toMatchObject({ change: { test: true } });
  });

  it.each([{ eventId: 2 }, { objectId: 124 }, { changeSource: 'CRM_UI' }])('is told from a real event: %j', (over) => {
    const read = readHubspot({ ...pressed, ...over });
    expect('change' in read && read.change.test).toBeUndefined();
  });
});

describe("a workflow's default body", () => {
  it('of a contact is in the shape of the first API', () => {
    const body = {
      vid: 7,
      'canonical-vid': 7,
      'merged-vids': [],
      'portal-id': 62515,
      'is-contact': true,
      properties: { lifecyclestage: { value: 'lead', versions: [{ value: 'lead', timestamp: 1 }] } },
      'form-submissions': [],
      'identity-profiles': [],
    };
    expect(readHubspot(body)).toMatchObject({
      change: { delivery: 'workflow', record: { type: 'contact', id: '7' }, change: 'workflow', portalId: 62515 },
    });
  });

  it('of another object is found by its property', () => {
    const body = { objectType: 'DEAL', properties: { hs_object_id: { value: '9' }, dealname: { value: 'x' } } };
    expect(readHubspot(body)).toMatchObject({ change: { record: { type: 'deal', id: '9' } } });
  });

  it('may say its portal as text, as a query does', () => {
    expect(readHubspot({ objectId: '7', portalId: '33' })).toMatchObject({ change: { portalId: 33 } });
  });
});
