import type { PropertyUse } from '#libs/recipes';
import { contactProperties } from '#libs/vendors/hubspot';
import { wishesOf } from './hubspot-properties';

const use = (object: string, property: string, how: PropertyUse['how'] = 'writes'): PropertyUse => ({
  object,
  property,
  how,
  recipe: 'renewal',
});

it('wants all of the hub’s properties on contacts, and on other records what recipes write there', () => {
  const uses = [
    use('contact', 'heygen_video_url'),
    use('deal', 'heygen_video_url'),
    use('deal', 'heygen_job_id'),
    use('deal', 'amount'),
    use('company', 'lead_score', 'reads'),
  ];
  const contacts = { object: 'contact', names: new Set(contactProperties.map(({ name }) => name)) };
  expect(wishesOf([])).toEqual([contacts]);
  expect(wishesOf(uses)).toEqual([contacts, { object: 'deal', names: new Set(['heygen_video_url', 'heygen_job_id']) }]);
});

it('wants what only some recipes write where they write it', () => {
  const summing = [use('call', 'ai_call_summary'), use('call', 'ai_next_steps')];
  expect(wishesOf(summing).slice(1)).toEqual([
    { object: 'call', names: new Set(['ai_call_summary', 'ai_next_steps']) },
  ]);
  const [contacts] = wishesOf([use('contact', 'ai_call_summary')]);
  expect([...(contacts?.names ?? [])]).toEqual([...contactProperties.map(({ name }) => name), 'ai_call_summary']);
});
