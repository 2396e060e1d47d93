const CREATED = '2026-01-05T09:00:00Z';

export interface Owner {
  id: string;
  userId: number;
  email: string;
  firstName: string;
  lastName: string;
  type: string;
  createdAt: string;
  updatedAt: string;
  archived: boolean;
  teams: object[];
}

const owner = (id: string, userId: number, firstName: string): Owner => ({
  ...{ id, userId, email: `${firstName.toLowerCase()}@example.com`, firstName, lastName: 'Example', type: 'PERSON' },
  ...{ createdAt: CREATED, updatedAt: CREATED, archived: false, teams: [] },
});

/** An account's owners: two, and as many more as a test wants. */
export class Owners {
  /** Whoever sits before the account's pages. */
  readonly first = owner('701', 7001, 'Ada');
  readonly list: Owner[] = [this.first, owner('702', 7002, 'Ben')];

  /** Lets there be that many. */
  grow(count: number): void {
    for (let n = this.list.length; n < count; n += 1) this.list.push(owner(String(701 + n), 7001 + n, `Owner${n}`));
  }

  /** Records and activities are assigned by the owner's id; a user's id is refused. */
  has(id: string): boolean {
    return this.list.some((one) => one.id === id);
  }
}
