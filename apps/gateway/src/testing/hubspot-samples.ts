/** What real portals sent, each as the bytes of one array element; values of personal fields are shortened. */
export const liveSamples: Record<string, string> = {
  'an update by our own app':
    '{"eventId":4101286121,"subscriptionId":7562680,"portalId":247187887,"appId":50780459,"occurredAt":1787843156000,"subscriptionType":"contact.propertyChange","attemptNumber":1,"objectId":541935488729,"propertyName":"email","propertyValue":"...","changeSource":"INTEGRATION","sourceId":"50780459"}',
  'a generic update':
    '{"eventId":1765889350,"subscriptionId":7662269,"portalId":247279312,"appId":51879189,"occurredAt":1788597072520,"subscriptionType":"object.propertyChange","attemptNumber":0,"objectId":546500061938,"objectTypeId":"0-1","propertyName":"email","propertyValue":"...","changeSource":"CRM_UI","sourceId":"userId:98499705","isSensitive":false}',
  'a generic creation of a custom object':
    '{"eventId":1765889351,"subscriptionId":7662270,"portalId":247279312,"appId":51879189,"occurredAt":1788597072520,"subscriptionType":"object.creation","attemptNumber":0,"objectId":546500061939,"objectTypeId":"2-143967026","changeFlag":"CREATED","changeSource":"CRM_UI","sourceId":"userId:98499705"}',
  'a generic deletion':
    '{"eventId":1765889352,"subscriptionId":7662271,"portalId":247279312,"appId":51879189,"occurredAt":1788597072521,"subscriptionType":"object.deletion","attemptNumber":0,"objectId":546500061939,"objectTypeId":"0-1","changeFlag":"DELETED","changeSource":"CRM_UI_BULK_ACTION","sourceId":"userId:98499705"}',
  'a creation by an app, at its sixth attempt':
    '{"eventId":2930857001,"subscriptionId":7562681,"portalId":247187887,"appId":9393361,"occurredAt":1787843156001,"subscriptionType":"contact.creation","attemptNumber":6,"objectId":541935488730,"changeFlag":"CREATED","changeSource":"INTEGRATION","sourceId":"9393361"}',
  'an association':
    '{"eventId":2073333923,"portalId":50249912,"appId":36665006,"occurredAt":1786997905997,"subscriptionType":"deal.associationChange","attemptNumber":0,"changeSource":"USER","associationType":"DEAL_TO_LINE_ITEM","fromObjectId":64058987777,"toObjectId":58061514894,"associationRemoved":false,"sourceId":"userId:82088707"}',
  'a new message':
    '{"eventId":3269195544,"subscriptionId":2371671,"portalId":23428445,"appId":2438486,"occurredAt":1702439388898,"subscriptionType":"conversation.newMessage","attemptNumber":0,"objectId":6065362089,"messageId":"9b38dc6d5b5744a788931a9cf3a7b225","messageType":"MESSAGE","changeFlag":"NEW_MESSAGE"}',
  'the test button':
    '{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}',
};

const generic = (eventId: number, type: string, rest: string): string =>
  `{"eventId":${eventId},"subscriptionId":7662269,"portalId":247279312,"appId":51879189,"occurredAt":1788597072520,"subscriptionType":"object.${type}","attemptNumber":0,"objectId":546500061940,"objectTypeId":"0-1",${rest}"changeSource":"CRM_UI","sourceId":"userId:98499705"}`;

/** One record made by hand: seven property changes and, in the sixth place, the creation, all of one moment. */
export const createdByHand: string[] = [
  'firstname',
  'lastname',
  'email',
  'phone',
  'company',
  '',
  'lifecyclestage',
  'city',
].map((property, i) =>
  property === ''
    ? generic(1_765_889_400 + i, 'creation', '"changeFlag":"CREATED",')
    : generic(
        1_765_889_400 + i,
        'propertyChange',
        `"propertyName":"${property}","propertyValue":"Zoë \\u0026 \\"${i}\\"",`,
      ),
);
