import { checkKeptDays, KeepingMismatch } from './days';

const DAY = 86_400_000;
const check = (inbox: number, receipts: number, retention: number) => () =>
  checkKeptDays({ inbox, receipts }, new Map([['t', retention]]));

it.each([
  [14, 90, 7 * DAY],
  [7, 7, 7 * DAY],
])('takes inbox %d, receipts %d, topic %d', (...days) => {
  expect(check(...days)).not.toThrow();
});

it.each([
  ['t keeps records 7.0 days, and their marks would be dropped after 6 (INBOX_DAYS)', 6, 90, 7 * DAY],
  ['t keeps records for ever', 14, 90, Infinity],
  ['INBOX_DAYS (14) is more than RECEIPT_DAYS (13)', 14, 13, 7 * DAY],
])('refuses: %s', (says, ...days) => {
  expect(check(...days)).toThrow(KeepingMismatch);
  expect(check(...days)).toThrow(says);
});
