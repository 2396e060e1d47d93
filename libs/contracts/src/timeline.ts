/** The forms in which an account can be told what recipes say in a record's timeline. */
export const timelineForms = ['notes', 'events'] as const;

/** Notes, which every account takes, or events of the app, for which it needs HubSpot's approval. */
export type TimelineForm = (typeof timelineForms)[number];
