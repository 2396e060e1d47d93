/** Why an expression is refused before it ever runs. */
export type FaultCode =
  | 'syntax'
  | 'too-long'
  | 'too-large'
  | 'too-deep'
  | 'unknown-variable'
  | 'unknown-function'
  | 'wrong-arguments'
  | 'dynamic-read'
  | 'not-a-literal'
  | 'bad-pattern'
  | 'unsupported'
  | 'type';

/** Names what is wrong with an expression's source: `offset` to `end` of it is at fault, and `remedy` tells what to do. */
export class ExpressionFault extends Error {
  override readonly name = 'ExpressionFault';
  constructor(
    readonly code: FaultCode,
    message: string,
    readonly offset: number,
    readonly end: number,
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** Why an expression gave no value for one input. */
export type ErrorCode =
  | 'type'
  | 'argument'
  | 'overrun'
  | 'too-deep'
  | 'not-json'
  | 'out-of-range'
  | 'unbound'
  | 'no-key'
  | 'no-table'
  | 'absent';

/** Tells why there is no value for one input, without any of the input's values; only that input fails. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}
