import type { PropertyUse } from '#libs/recipes';
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
  expect(wishesOf([])).toEqual([{ object: 'contact' }]);
  expect(wishesOf(uses)).toEqual([
    { object: 'contact' },
    { object: 'deal', names: new Set(['heygen_video_url', 'heygen_job_id']) },
  ]);
});
