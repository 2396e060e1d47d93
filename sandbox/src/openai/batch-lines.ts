import { isObject, objectOf, parsedOr, textOf, type JsonObject } from '../frame/json.ts';

export interface Line {
  customId: string;
  body: JsonObject;
  /** As it stood in the file. */
  text: string;
}

export interface BatchError {
  code: string;
  message: string;
  line: number | null;
  param: string | null;
}

const MOST_LINES = 50_000;
export const BATCH_ENDPOINTS: readonly string[] = ['/v1/chat/completions', '/v1/responses'];

/** Reads the lines of an input file, and what is wrong with them: one wrong line fails the whole batch. */
export function linesOf(bytes: Buffer, endpoint: string): { lines: Line[]; errors: BatchError[] } {
  const texts = bytes.toString('utf8').split('\n').filter(Boolean);
  if (texts.length === 0) return { lines: [], errors: [error('empty_file', 'The input file is empty.', null)] };
  if (texts.length > MOST_LINES)
    return { lines: [], errors: [error('too_many_tasks', `More than ${MOST_LINES} requests.`, null)] };
  const seen = { ids: new Set<string>(), model: textOf(objectOf(objectOf(parsedOr(texts[0] ?? ''))['body'])['model']) };
  const lines: Line[] = [];
  const errors = texts.flatMap((text, i) => {
    const read = lineOf(text, endpoint, seen);
    if (!('code' in read)) lines.push(read);
    return 'code' in read ? [{ ...read, line: i + 1 }] : [];
  });
  return { lines, errors };
}

const error = (code: string, message: string, param: string | null): BatchError => ({
  code,
  message,
  line: null,
  param,
});

function lineOf(
  text: string,
  endpoint: string,
  seen: { ids: Set<string>; model: string | undefined },
): Line | BatchError {
  const parsed = parsedOr(text);
  if (!isObject(parsed)) return error('invalid_json_line', 'This line is not parseable as valid JSON.', null);
  const { custom_id: id, method, url, body } = parsed;
  if (typeof id !== 'string' || id === '' || id.length > 64)
    return error('invalid_request', "'custom_id' must be a string of up to 64 characters.", 'custom_id');
  if (seen.ids.has(id)) return error('duplicate_custom_id', `The custom_id '${id}' was used before.`, 'custom_id');
  seen.ids.add(id);
  if (method !== 'POST') return error('invalid_request', "'method' must be POST.", 'method');
  if (url !== endpoint) return error('url_mismatch', `The URL must be the batch's endpoint, ${endpoint}.`, 'url');
  if (!isObject(body)) return error('invalid_request', "'body' must be an object.", 'body');
  if (textOf(body['model']) !== seen.model)
    return error('model_mismatch', 'All requests of a batch must ask the same model.', 'body.model');
  return { customId: id, body, text };
}
