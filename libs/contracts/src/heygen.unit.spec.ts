import { readHeygen } from './heygen';

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
