import { readCallbackId, readHeygen } from './heygen';

const success = {
  result: 'success',
  eventType: 'avatar_video.success',
  videoId: 'v1',
  callbackId: 'c1',
  url: 'https://files.example.test/v1.mp4',
  code: undefined,
  message: undefined,
};

describe('a HeyGen callback', () => {
  it('is read as HeyGen sends it, nulls included', () => {
    const event_data = {
      video_id: 'v1',
      url: success.url,
      callback_id: 'c1',
      gif_download_url: null,
      video_share_page_url: null,
      folder_id: '',
    };
    expect(readHeygen({ event_type: 'avatar_video.success', event_data })).toEqual({ callback: success });
  });

  it.each([
    [{ event_type: 'video.completed', event_data: { video_id: 'v1', url: success.url, callback_id: 'c1' } }],
    [{ event: 'video.completed', data: { video_id: 'v1', video_url: success.url, callback_id: 'c1' } }],
    [{ type: 'video.completed', video_id: 'v1', video_url: success.url, callback_id: 'c1' }],
  ])('is read in the form of common guides too: %j', (body) => {
    expect(readHeygen(body)).toEqual({ callback: { ...success, eventType: 'video.completed' } });
  });

  it.each([
    ['msg', { msg: 'why' }],
    ['message', { message: 'why' }],
    ['error', { error: 'why' }],
    ['error.message', { error: { code: 'x', message: 'why' } }],
    ['failure_message', { failure_message: 'why' }],
  ])('tells why a video failed, from %s', (_, fields) => {
    expect(
      readHeygen({ event_type: 'avatar_video.fail', event_data: { video_id: 'v1', failure_code: 4001, ...fields } }),
    ).toEqual({
      callback: { result: 'fail', eventType: 'avatar_video.fail', videoId: 'v1', code: '4001', message: 'why' },
    });
  });

  it.each([
    ['failure_code', { failure_code: 4002 }],
    ['failure_code, as text', { failure_code: '4002' }],
    ['error', { error: 4002 }],
    ['error, as text', { error: '4002' }],
    ['error.code', { error: { code: 4002 } }],
    ['code', { code: '4002' }],
  ])('tells the code of a failure, from %s', (_, fields) => {
    expect(readHeygen({ event: 'video.failed', data: { video_id: 'v1', ...fields } })).toMatchObject({
      callback: { result: 'fail', code: '4002' },
    });
  });

  it('of an unknown kind only says that something happened', () => {
    const read = readHeygen({ event_type: 'avatar_video_gif.success', event_data: { video_id: 'v1' } });
    expect(read).toMatchObject({ callback: { result: 'other', videoId: 'v1' } });
  });

  it.each([[[]], [null], ['text'], [{}], [{ event_type: 'avatar_video.success', event_data: {} }]])(
    'that is %j is refused with a reason',
    (body) => {
      expect(readHeygen(body)).toEqual({ error: expect.stringMatching(/\S/) });
    },
  );
});

it.each([
  [{ failure_code: 'C' }, 'C', undefined],
  [{ failure_message: 'why' }, undefined, 'why'],
  [{ error: { code: 40119, detail: 'why' } }, '40119', 'why'],
  [{ error: { code: 'C', message: 'why' }, failure_code: null, msg: null }, 'C', 'why'],
  [{ error: { message: { deep: 1 } } }, undefined, undefined],
])('of a failure is read from all five fields: %j', (fields, code, message) => {
  for (const event_type of ['avatar_video.fail', 'video.failed']) {
    const read = readHeygen({ event_type, event_data: { video_id: 'v1', ...fields } });
    expect(read).toMatchObject({ callback: { result: 'fail', code, message } });
  }
});

describe('a callback id', () => {
  it('names a render and its tenant', () => {
    expect(readCallbackId('render-acme:contact:7:lead/qualified/2/1')).toEqual({
      streamId: 'render-acme:contact:7:lead/qualified',
      tenant: 'acme',
      render: 2,
      generation: 1,
    });
  });

  it.each([undefined, '', 'c1', 'render-acme:contact:7/1', 'render-acme:contact/1/1', 'render-:contact:7:r/1/1'])(
    'that is %j is none of ours',
    (id) => {
      expect(readCallbackId(id)).toBeUndefined();
    },
  );
});
