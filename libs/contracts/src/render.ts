import { z } from 'zod';
import { chain } from './chain';
import { catalog, type EventOf } from './events';
import { fateSchema } from './fate';
import { looked } from './lookup';
import { actedAt, depth, loopCut, valueWritten } from './loop';
import { Topic } from './topics';
import { videoCopy } from './video-copy';
import { replacement, videoOptions } from './video-order';

/** Which render of which recipe an event speaks of. `triggeredAt` is the trigger's own time (RFC 3339). */
const about = {
  recipe: z.string().describe('Id of the recipe'),
  recipeVersion: z.string().describe("Names the recipe's content: equal content, equal version"),
  render: z.int().positive().describe('Number of the render on its record, from 1'),
  triggeredAt: z.iso.datetime().describe("The trigger's own time"),
};

/** The history of one record's renders by one recipe: stream `render-…`, topic `render.events.v1`. */
export const renderEvents = catalog('render', Topic.render, {
  RenderRequested: {
    wire: 'refrain.render.requested.v1',
    data: z
      .object({
        ...about,
        rootCause: z.string().describe('Id of the first accepted record of the chain'),
        content: z.string().describe('What the trigger said; equal content within the cool-down is the same trigger'),
        results: chain.results,
        depth,
        asked: z
          .object({
            after: z.int().positive().describe('Number of the render that it repeats'),
            by: z.string().describe("Who asked: the CRM's id of the user, such as hubspot-user:42"),
          })
          .optional()
          .describe('A person asked for it, whatever the cool-down; absent where the trigger itself matched'),
      })
      .describe('A trigger matched, or a person asked again: the record is to have a video, and is read first.'),
  },
  RenderPrepared: {
    wire: 'refrain.render.prepared.v1',
    data: z
      .object({
        ...about,
        template: z.string().describe('Id of the HeyGen template'),
        variables: z.record(z.string(), z.string()).describe('Values of the template that are text, by name'),
        replacements: z
          .record(z.string(), replacement)
          .optional()
          .describe('What fills those variables of the template that are no text, by name'),
        options: videoOptions.optional().describe('How the video is made, where the recipe says so'),
        title: z.string().optional().describe('What the video is called at HeyGen'),
        recordModifiedAt: z
          .string()
          .optional()
          .describe("The record's last-modified date as read for this trigger: noted, never a key"),
        looked,
        actedAt,
      })
      .describe('The record was read and is good for a video; the render is owed to HeyGen with these variables.'),
  },
  RenderRejected: {
    wire: 'refrain.render.rejected.v1',
    data: z
      .object({
        ...about,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
      })
      .describe('No video is made, and nothing was spent: the record does not say what the recipe requires.'),
  },
  RenderSubmitted: {
    wire: 'refrain.render.submitted.v1',
    data: z
      .object({
        ...about,
        generation: z.int().positive().describe('Which call for this render was taken, from 1'),
        videoId: z.string().optional().describe('Id that HeyGen gave the video'),
        reserved: z
          .boolean()
          .optional()
          .describe('A budget holds what it is thought to cost, until it is known what it cost'),
        actedAt,
      })
      .describe('HeyGen took the order, under the generation (attempt by a new key) named here.'),
  },
  RenderStarted: {
    wire: 'refrain.render.started.v1',
    data: z
      .object({ ...about, videoId: z.string().describe('Id that HeyGen gave the video') })
      .describe('HeyGen was asked, and says that it is making the video.'),
  },
  RenderPostponed: {
    wire: 'refrain.render.postponed.v1',
    data: z
      .object({
        ...about,
        generation: z
          .int()
          .positive()
          .describe('Which order failed, from 1; the next one is ordered under a fresh key'),
        videoId: z.string().optional().describe('Id that HeyGen gave the video that will not come'),
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
        waitsFor: z
          .enum(['credit', 'retry'])
          .describe(
            'credit: it is ordered again until something pays for it; retry: HeyGen failed, a few times at most',
          ),
      })
      .describe('HeyGen failed at the order, which costs nothing: it waits and is ordered once more.'),
  },
  RenderCompleted: {
    wire: 'refrain.render.completed.v1',
    data: z
      .object({
        ...about,
        videoId: z.string().describe('Id that HeyGen gave the video'),
        url: z.string().describe("Where the video can be seen: the stable link, or HeyGen's own address for 7 days"),
        link: z
          .string()
          .optional()
          .describe("Id of the stable link, which the gateway's /v/ knows; absent where url is HeyGen's own"),
        ...chain,
        actedAt,
      })
      .describe('The video is ready at this address.'),
  },
  RenderCopied: {
    wire: 'refrain.render.copied.v1',
    data: z
      .object({
        ...about,
        videoId: z.string().describe('Id that HeyGen gave the video'),
        link: z.string().describe('Id of the stable link, which leads to the copy from now on'),
        ...videoCopy,
      })
      .describe("The video was copied to storage of one's own: its link no longer needs HeyGen."),
  },
  RenderFailed: {
    wire: 'refrain.render.failed.v1',
    data: z
      .object({
        ...about,
        videoId: z.string().optional().describe('Id that HeyGen gave the video'),
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
        actedAt,
      })
      .describe('The video will not come: HeyGen refused the order or failed at it.'),
  },
  RenderLoopCut: {
    wire: 'refrain.render-loop.cut.v1',
    data: loopCut.describe('Machines set off the recipe by answering what it does: it is set off by them no more.'),
  },
  RenderValueWritten: { wire: 'refrain.render-value.written.v1', data: valueWritten },
  RenderRecordFollowed: {
    wire: 'refrain.render-record.followed.v1',
    data: fateSchema.describe('The record was merged, deleted, restored or erased: these renders follow it.'),
  },
});

export type RenderEvent = EventOf<typeof renderEvents>;

/** What happened to one render; the rest of its stream is about the record. */
export type OneRenderEvent = Extract<RenderEvent, { data: { render: number } }>;

export const isOfRender = (event: RenderEvent): event is OneRenderEvent => 'render' in event.data;
