import type { PropertyInput } from './property.ts';

type Row = [name: string, label: string, type: string, fieldType: string, flags?: string, options?: string[]];

const LIFECYCLE_STAGES = [
  'subscriber',
  'lead',
  'marketingqualifiedlead',
  'salesqualifiedlead',
  'opportunity',
  'customer',
  'evangelist',
  'other',
];

const LEAD_STATUS = [
  'NEW',
  'OPEN',
  'IN_PROGRESS',
  'OPEN_DEAL',
  'UNQUALIFIED',
  'ATTEMPTED_TO_CONTACT',
  'CONNECTED',
  'BAD_TIMING',
];

// Flags: r = read-only for API callers, u = unique, x = options live elsewhere and are not checked.
const EVERYWHERE: Row[] = [
  ['hs_object_id', 'Record ID', 'number', 'number', 'ru'],
  ['createdate', 'Create date', 'datetime', 'date', 'r'],
  ['hs_createdate', 'Object create date', 'datetime', 'date', 'r'],
  ['hs_object_source', 'Record source', 'string', 'text', 'r'],
  ['hs_object_source_id', 'Record source ID', 'string', 'text', 'r'],
  ['hs_object_source_label', 'Record source label', 'string', 'text', 'r'],
  ['hs_merged_object_ids', 'Merged record IDs', 'enumeration', 'checkbox', 'rx'],
  ['hubspot_owner_id', 'Owner', 'enumeration', 'select', 'x'],
  ['hubspot_owner_assigneddate', 'Owner assigned date', 'datetime', 'date', 'r'],
];

const ROWS: Record<string, Row[]> = {
  contacts: [
    ['firstname', 'First name', 'string', 'text'],
    ['lastname', 'Last name', 'string', 'text'],
    ['email', 'Email', 'string', 'text', 'u'],
    ['hs_additional_emails', 'Additional emails', 'enumeration', 'checkbox', 'rx'],
    ['company', 'Company name', 'string', 'text'],
    ['jobtitle', 'Job title', 'string', 'text'],
    ['industry', 'Industry', 'string', 'text'],
    ['phone', 'Phone number', 'string', 'phonenumber'],
    ['mobilephone', 'Mobile phone number', 'string', 'phonenumber'],
    ['website', 'Website URL', 'string', 'text'],
    ['address', 'Street address', 'string', 'text'],
    ['city', 'City', 'string', 'text'],
    ['state', 'State/Region', 'string', 'text'],
    ['zip', 'Postal code', 'string', 'text'],
    ['country', 'Country/Region', 'string', 'text'],
    ['annualrevenue', 'Annual revenue', 'string', 'text'],
    ['numemployees', 'Number of employees', 'string', 'text'],
    ['message', 'Message', 'string', 'textarea'],
    ['hs_language', 'Preferred language', 'string', 'text'],
    ['hs_email_optout', 'Unsubscribed from all email', 'bool', 'booleancheckbox', 'r'],
    ['lifecyclestage', 'Lifecycle stage', 'enumeration', 'radio', '', LIFECYCLE_STAGES],
    ['hs_lead_status', 'Lead status', 'enumeration', 'radio', '', LEAD_STATUS],
    ['recent_conversion_event_name', 'Recent conversion', 'string', 'text', 'r'],
    ['recent_conversion_date', 'Recent conversion date', 'datetime', 'date', 'r'],
    ['first_conversion_event_name', 'First conversion', 'string', 'text', 'r'],
    ['first_conversion_date', 'First conversion date', 'datetime', 'date', 'r'],
    ['num_conversion_events', 'Number of form submissions', 'number', 'number', 'r'],
    ['notes_last_updated', 'Last activity date', 'datetime', 'date', 'r'],
    ['notes_last_contacted', 'Last contacted', 'datetime', 'date', 'r'],
    ['num_notes', 'Number of sales activities', 'number', 'number', 'r'],
    ['lastmodifieddate', 'Last modified date', 'datetime', 'date', 'r'],
    ['hs_analytics_source', 'Original traffic source', 'string', 'text', 'r'],
  ],
  companies: [
    ['name', 'Company name', 'string', 'text'],
    ['domain', 'Company domain name', 'string', 'text'],
    ['industry', 'Industry', 'string', 'text'],
    ['phone', 'Phone number', 'string', 'phonenumber'],
    ['city', 'City', 'string', 'text'],
    ['country', 'Country/Region', 'string', 'text'],
    ['website', 'Website URL', 'string', 'text'],
    ['description', 'Description', 'string', 'textarea'],
    ['numberofemployees', 'Number of employees', 'number', 'number'],
    ['annualrevenue', 'Annual revenue', 'number', 'number'],
    ['lifecyclestage', 'Lifecycle stage', 'enumeration', 'radio', '', LIFECYCLE_STAGES],
    ['notes_last_updated', 'Last activity date', 'datetime', 'date', 'r'],
  ],
  deals: [
    ['dealname', 'Deal name', 'string', 'text'],
    ['amount', 'Amount', 'number', 'number'],
    ['dealstage', 'Deal stage', 'enumeration', 'radio', 'x'],
    ['pipeline', 'Pipeline', 'enumeration', 'select', 'x'],
    ['closedate', 'Close date', 'datetime', 'date'],
    ['description', 'Deal description', 'string', 'textarea'],
    ['notes_last_updated', 'Last activity date', 'datetime', 'date', 'r'],
  ],
  tickets: [
    ['subject', 'Ticket name', 'string', 'text'],
    ['content', 'Ticket description', 'string', 'textarea'],
    ['hs_pipeline', 'Pipeline', 'enumeration', 'select', 'x'],
    ['hs_pipeline_stage', 'Ticket status', 'enumeration', 'select', 'x'],
    ['hs_ticket_priority', 'Priority', 'enumeration', 'select', '', ['LOW', 'MEDIUM', 'HIGH', 'URGENT']],
    ['notes_last_updated', 'Last activity date', 'datetime', 'date', 'r'],
  ],
  notes: [
    ['hs_timestamp', 'Activity date', 'datetime', 'date'],
    ['hs_note_body', 'Note body', 'string', 'html'],
    ['hs_attachment_ids', 'Attached file IDs', 'string', 'text'],
  ],
  tasks: [
    ['hs_timestamp', 'Due date', 'datetime', 'date'],
    ['hs_task_subject', 'Task title', 'string', 'text'],
    ['hs_task_body', 'Task notes', 'string', 'html'],
    [
      'hs_task_status',
      'Task status',
      'enumeration',
      'select',
      '',
      'NOT_STARTED IN_PROGRESS WAITING COMPLETED DEFERRED'.split(' '),
    ],
    ['hs_task_priority', 'Priority', 'enumeration', 'select', '', ['NONE', 'LOW', 'MEDIUM', 'HIGH']],
    ['hs_task_type', 'Task type', 'enumeration', 'select', '', ['EMAIL', 'CALL', 'TODO', 'MEETING', 'LINKED_IN']],
    ['hs_task_reminders', 'Reminders', 'string', 'text'],
  ],
  calls: [
    ['hs_timestamp', 'Activity date', 'datetime', 'date'],
    ['hs_call_title', 'Call title', 'string', 'text'],
    ['hs_call_body', 'Call notes', 'string', 'html'],
    ['hs_call_direction', 'Call direction', 'enumeration', 'select', '', ['INBOUND', 'OUTBOUND']],
    ['hs_call_status', 'Call status', 'string', 'text'],
    ['hs_call_duration', 'Call duration', 'number', 'number'],
  ],
  emails: [
    ['hs_timestamp', 'Activity date', 'datetime', 'date'],
    ['hs_email_direction', 'Email direction', 'string', 'text'],
    ['hs_email_subject', 'Email subject', 'string', 'text'],
    ['hs_email_text', 'Email body', 'string', 'textarea'],
    ['hs_email_html', 'Email body (HTML)', 'string', 'html'],
    ['hs_email_status', 'Email status', 'string', 'text'],
  ],
  meetings: [
    ['hs_timestamp', 'Activity date', 'datetime', 'date'],
    ['hs_meeting_title', 'Meeting name', 'string', 'text'],
    ['hs_meeting_body', 'Meeting description', 'string', 'html'],
    ['hs_internal_meeting_notes', 'Internal meeting notes', 'string', 'html'],
    ['hs_meeting_start_time', 'Meeting start time', 'datetime', 'date'],
    ['hs_meeting_end_time', 'Meeting end time', 'datetime', 'date'],
    ['hs_meeting_outcome', 'Meeting outcome', 'string', 'text'],
  ],
  communications: [
    ['hs_timestamp', 'Activity date', 'datetime', 'date'],
    ['hs_communication_channel_type', 'Channel type', 'string', 'text'],
    ['hs_communication_body', 'Body', 'string', 'html'],
    ['hs_communication_logged_from', 'Logged from', 'string', 'text'],
  ],
  products: [
    ['name', 'Name', 'string', 'text'],
    ['price', 'Unit price', 'number', 'number'],
    ['description', 'Description', 'string', 'textarea'],
  ],
  line_items: [
    ['name', 'Name', 'string', 'text'],
    ['price', 'Unit price', 'number', 'number'],
    ['quantity', 'Quantity', 'number', 'number'],
    ['hs_product_id', 'Product ID', 'number', 'number'],
  ],
};

const DEFAULTS: Record<string, string[]> = {
  contacts: ['createdate', 'email', 'firstname', 'hs_object_id', 'lastmodifieddate', 'lastname'],
  companies: ['createdate', 'domain', 'hs_lastmodifieddate', 'hs_object_id', 'name'],
  deals: [
    'amount',
    'closedate',
    'createdate',
    'dealname',
    'dealstage',
    'hs_lastmodifieddate',
    'hs_object_id',
    'pipeline',
  ],
  tickets: [
    ...['content', 'createdate', 'hs_lastmodifieddate', 'hs_object_id', 'hs_pipeline'],
    ...['hs_pipeline_stage', 'hs_ticket_priority', 'subject'],
  ],
};

/** Names what a read without `properties` shows. */
export const defaultProperties = (type: string): string[] =>
  DEFAULTS[type] ?? ['hs_createdate', 'hs_lastmodifieddate', 'hs_object_id'];

export const groupOf = (type: string): string =>
  type === 'contacts' ? 'contactinformation' : `${type.replace(/ies$/, 'y').replace(/s$/, '')}information`;

/** The properties every account has before anyone adds to them. */
export function standardProperties(type: string): PropertyInput[] {
  const own = ROWS[type] ?? [];
  const stamp: Row[] =
    type === 'contacts' ? [] : [['hs_lastmodifieddate', 'Last modified date', 'datetime', 'date', 'r']];
  return [...own, ...stamp, ...EVERYWHERE].map(([name, label, valueType, fieldType, flags = '', options = []]) => ({
    name,
    label,
    type: valueType,
    fieldType,
    groupName: groupOf(type),
    readOnly: flags.includes('r'),
    hasUniqueValue: flags.includes('u'),
    externalOptions: flags.includes('x'),
    hubspotDefined: true,
    options: options.map((value, displayOrder) => ({ label: value, value, displayOrder, hidden: false })),
  }));
}

export const lifecycleRank = (stage: string): number => LIFECYCLE_STAGES.indexOf(stage);
