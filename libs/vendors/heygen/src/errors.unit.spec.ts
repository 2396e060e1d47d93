import { heygenCodes } from '#libs/contracts';
import { refusalOf } from './errors';

const said = (status: number, code: unknown, over = {}) =>
  refusalOf(status, new Headers(), { error: { code, message: 'why', ...over } });

describe('a refusal', () => {
  it.each(heygenCodes('unpaid'))('for want of credit (%s) waits, as what a decider puts off for it', (code) => {
    for (const status of [400, 402, 429])
      expect(said(status, code)).toMatchObject({ outcome: 'retry', refused: true, code, afterMs: 300_000 });
  });

  it.each(heygenCodes('refused'))('that would come again (%s) stops, as what a decider stops', (code) => {
    expect(said(code === 'quota_exceeded' ? 429 : 400, code)).toMatchObject({ outcome: 'stop', code });
  });

  it.each(heygenCodes('broken'))('of HeyGen’s own fault (%s) leaves open whether it was obeyed', (code) => {
    expect(said(500, code)).toMatchObject({ outcome: 'unknown', code });
  });

  it.each([
    [4001, 'stop'],
    [4002, 'retry'],
    ['4001', 'stop'],
    ['4002', 'retry'],
  ])('with a code of the guides is understood as number and as text: %p', (code, outcome) => {
    expect(said(400, code)).toMatchObject({ outcome, code: String(code) });
    expect(refusalOf(400, new Headers(), { code, message: 'why', data: null })).toMatchObject({ outcome });
  });

  it('names the variable that is wrong', () => {
    expect(said(400, 'invalid_parameter', { param: 'variables.first_name' })).toMatchObject({
      message: 'why (variables.first_name)',
    });
  });
});
