/** Where the broker and the database are. */
export interface Places {
  kafkaBrokers: string;
  databaseUrl: string;
}

/** How a hub is set up beside its settings. */
export interface Setup {
  /** Of each service. */
  replicas?: number;
  /** The run's own, unless others are named. */
  places?: Places;
  /** Whether the topics are read from the beginning, or only once asked for by `readTopics`. */
  watched?: boolean;
}

/** What the run was given for all its tests. */
export const placesOfTheRun = (): Places => ({
  kafkaBrokers: process.env['KAFKA_BROKERS'] ?? '',
  databaseUrl: process.env['DATABASE_URL'] ?? '',
});
