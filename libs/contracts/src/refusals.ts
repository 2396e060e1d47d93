/** Why something was not done, in words for people, and what helps where that is known. */
export interface Refusal {
  says: string;
  remedy: string | null;
}

/** What helps where HubSpot does not do what a step wants done at a record, by the code of its answer. */
export const actionRemedies: Readonly<Record<string, string>> = {
  'list-is-dynamic': 'HubSpot fills this list itself by its filters: name one that is filled by hand',
  'list-missing': 'there is no such list: it may have been deleted',
  'not-allowed': 'the account or the app may not: see which scopes, seats and subscriptions it needs',
  'events-not-allowed':
    "events need HubSpot's approval and the scope timeline: set timeline to notes, then try again (refrain dlq retry)",
  'legal-basis-needed': 'the account has its data privacy settings on: name basis and explanation',
  'not-unique': 'the property that it goes by may have one value twice: make one of unique values',
  'record-missing': 'there is no such record any more',
  'no-notes-at-type': 'notes at records of this type are not known: HubSpot ties them by another id in each portal',
  'no-tasks-at-type': 'tasks at records of this type are not known: HubSpot ties them by another id in each portal',
};

const CREDIT = {
  says: 'HeyGen’s account has no credits left.',
  remedy: 'Add credits at HeyGen: what waits goes on by itself.',
};
const HEYGEN_BROKE = { says: 'HeyGen failed at the video.', remedy: 'Render it again.' };
const OPENAI_SPENT = {
  says: 'OpenAI’s account may spend no more.',
  remedy: 'Raise its limit or its balance at OpenAI.',
};
const UNREACHABLE = { says: 'It could not be reached.', remedy: 'Try again once it answers.' };
const BAD_VALUE = { remedy: 'Compare what the recipe writes with the property in HubSpot.' };

// Without `says` the reason that the event itself gives is the best there is.
const known: Readonly<Record<string, { says?: string; remedy?: string }>> = {
  missing: { remedy: 'Fill it in at the record, then try again.' },
  placeholder: { remedy: 'Put the real value there, then try again.' },
  unclean: { remedy: 'Take it out at the record, then try again; or let the recipe clean it.' },
  'too-long': { remedy: 'Shorten it at the record, or let the recipe take less of it.' },
  'not-met': { says: 'The record does not meet the recipe’s condition.' },
  'still-so': { says: 'It was done before, and what called for it is not over.' },
  expression: { remedy: 'The recipe has to be mended: tell whoever looks after it.' },
  'recipe-gone': { says: 'The recipe is no longer in use.' },
  'record-deleted': { says: 'The record was deleted.' },
  erased: { says: 'What was known of the record was erased.' },
  unreadable: { says: 'The record could not be read.', remedy: 'Try again once HubSpot answers.' },
  superseded: { says: 'A newer one took its place.' },
  loop: {
    says: 'Machines set off the recipe by answering what it does, so it rests.',
    remedy: 'A person may set it off.',
  },

  insufficient_credit: CREDIT,
  MOVIO_PAYMENT_INSUFFICIENT_CREDIT: CREDIT,
  '4002': CREDIT,
  quota_exceeded: { says: 'HeyGen’s quota is used up.', remedy: 'Raise it at HeyGen or wait until it begins anew.' },
  trial_limit_exceeded: {
    says: 'HeyGen’s trial is used up.',
    remedy: 'Choose a plan at HeyGen: what waits goes on by itself.',
  },
  subscription_required: { says: 'HeyGen’s plan does not include this.', remedy: 'Choose another plan at HeyGen.' },
  plan_upgrade_required: { says: 'HeyGen’s plan does not include this.', remedy: 'Choose another plan at HeyGen.' },
  content_policy_violation: {
    says: 'HeyGen refused the text.',
    remedy: 'Change what the video says, then render again.',
  },
  avatar_not_usable: { says: 'The template’s avatar cannot be used.', remedy: 'Choose another avatar at HeyGen.' },
  avatar_consent_required: { says: 'The avatar’s person has not consented.', remedy: 'Ask for consent at HeyGen.' },
  voice_not_usable: { says: 'The template’s voice cannot be used.', remedy: 'Choose another voice at HeyGen.' },
  // The reason names the variable.
  invalid_parameter: { remedy: 'Compare the recipe with the template at HeyGen.' },
  '4001': { says: 'HeyGen does not know the template.', remedy: 'Compare the recipe with the template at HeyGen.' },
  not_found: { says: 'HeyGen does not know the template.', remedy: 'Compare the recipe with the template at HeyGen.' },
  internal_error: HEYGEN_BROKE,
  '5000': HEYGEN_BROKE,
  RENDER_FAILED: HEYGEN_BROKE,
  failed: HEYGEN_BROKE,

  insufficient_quota: OPENAI_SPENT,
  credit_balance_exhausted: OPENAI_SPENT,
  organization_spend_limit_exceeded: OPENAI_SPENT,
  refusal: { says: 'The model refused to answer.' },
  length: { says: 'The answer was cut off.', remedy: 'Ask for less, or allow a longer answer.' },
  content_filter: { says: 'The content filter stopped the answer.' },
  schema: { says: 'The answer has not the shape that the recipe asks for.' },
  'nothing-to-ask': { says: 'The record has neither notes nor any of the properties that are asked about.' },

  'no-system': { remedy: 'Declare the system (SYSTEMS_FILE), or mend the recipe.' },
  'not-found': { says: 'The other system knows nothing of the record.' },
  'too-large': { says: 'The answer is larger than is taken.' },
  unreachable: UNREACHABLE,
  deadline: UNREACHABLE,

  PROPERTY_DOESNT_EXIST: { says: 'HubSpot has no such property.', remedy: 'Make it with `refrain init hubspot`.' },
  INVALID_OPTION: { says: 'The property does not have that option.', ...BAD_VALUE },
  VALIDATION_ERROR: { says: 'HubSpot does not take the value.', ...BAD_VALUE },
  OBJECT_NOT_FOUND: { says: 'HubSpot does not have the record any more.' },
  MISSING_SCOPES: { says: 'The app may not do this.', remedy: 'Give the app the scope, and install it again.' },
};

/** Says a code in words: by this one table, else by the reason that came with it. Every sentence ends with its mark. */
export function inWords(code: string, reason?: string): Refusal {
  const found = Object.hasOwn(known, code) ? known[code] : undefined;
  const remedy = found?.remedy ?? (Object.hasOwn(actionRemedies, code) ? actionRemedies[code] : undefined);
  return {
    says: found?.says ?? sentence(reason) ?? `It ended with the code ${code}.`,
    remedy: sentence(remedy) ?? null,
  };
}

const sentence = (text = ''): string | undefined =>
  text === '' ? undefined : text[0]?.toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');
