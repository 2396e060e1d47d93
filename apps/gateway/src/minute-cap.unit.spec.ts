import fc from 'fast-check';
import { MinuteCap } from './minute-cap';

it('lets so many through in a minute and says when the next may come', () => {
  const cap = new MinuteCap(2);
  expect([cap.take(0), cap.take(10_000), cap.take(20_000), cap.take(59_999)]).toEqual([0, 0, 40_000, 1]);
  expect([cap.take(60_000), cap.take(60_000), cap.take(70_000)]).toEqual([0, 10_000, 0]);
});

it('never lets more through in any minute, whatever comes when', () => {
  const steps = fc.array(fc.nat(30_000), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), steps, (perMinute, gaps) => {
      const cap = new MinuteCap(perMinute);
      const taken: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        if (cap.take(now) === 0) taken.push(now);
      }
      for (const from of taken)
        expect(taken.filter((t) => t >= from && t < from + 60_000).length).toBeLessThanOrEqual(perMinute);
    }),
  );
});
