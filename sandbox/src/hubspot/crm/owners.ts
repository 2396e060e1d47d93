const CREATED = '2026-01-05T09:00:00Z';

export const OWNERS = [
  { id: '701', userId: 7001, email: 'ada@example.com', firstName: 'Ada', lastName: 'Example' },
  { id: '702', userId: 7002, email: 'ben@example.com', firstName: 'Ben', lastName: 'Example' },
].map((owner) => ({ ...owner, type: 'PERSON', createdAt: CREATED, updatedAt: CREATED, archived: false, teams: [] }));

/** Records and activities are assigned by the owner's id; a user's id is refused. */
export const isOwner = (id: string): boolean => OWNERS.some((owner) => owner.id === id);
