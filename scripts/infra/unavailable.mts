/** Says that one way of getting a broker or a database is not open here, and why: another way may be. */
export class Unavailable extends Error {}
