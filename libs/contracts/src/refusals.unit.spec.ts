import { inWords } from './refusals';

it('says a known code by the table, in whole sentences', () => {
  expect(inWords('insufficient_credit', 'HTTP 402')).toEqual({
    says: 'HeyGen’s account has no credits left.',
    remedy: 'Add credits at HeyGen: what waits goes on by itself.',
  });
  expect(inWords('missing', 'firstname is missing')).toEqual({
    says: 'Firstname is missing.',
    remedy: 'Fill it in at the record, then try again.',
  });
  expect(inWords('list-missing', 'HubSpot did not take the list')).toEqual({
    says: 'HubSpot did not take the list.',
    remedy: 'There is no such list: it may have been deleted.',
  });
});

it('says any other by its reason, or names it', () => {
  expect(inWords('brand-new', 'it broke!')).toEqual({ says: 'It broke!', remedy: null });
  expect(inWords('brand-new')).toEqual({ says: 'It ended with the code brand-new.', remedy: null });
  expect(inWords('constructor')).toEqual({ says: 'It ended with the code constructor.', remedy: null });
});
