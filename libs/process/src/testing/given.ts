import type { Decider, Decision } from '../decider';

/** Reads a decider's history and input as a sentence: given events, when an input comes, then this was decided. */
export const given =
  <State, Event, Input>(decider: Decider<State, Event, Input>, ...history: Event[]) =>
  (input: Input): Decision<Event> =>
    decider.decide(history.reduce(decider.evolve, decider.initial), input);
