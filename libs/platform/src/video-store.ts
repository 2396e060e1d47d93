import { z } from 'zod';
import { secret, url } from './settings';

/** The settings of where copies of videos are kept; spread into the schema of an app that makes or shows them. */
export const videoStoreSettings = {
  VIDEO_STORE_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
    .optional()
    .describe('Bucket to which finished videos are copied, and to which stable links lead then; without it none are'),
  VIDEO_STORE_ENDPOINT: url().optional().describe('The S3-compatible storage that has it, where it is not Amazon S3'),
  VIDEO_STORE_REGION: z.string().min(1).default('us-east-1').describe('Region of the bucket'),
  VIDEO_STORE_PREFIX: z
    .string()
    .regex(/^([\w.-]+\/)*$/, 'must be empty, or end with /, of letters, digits, _ . and -')
    .default('')
    .describe('Stands before the key of every copy, such as videos/'),
  VIDEO_STORE_ACCESS_KEY_ID: secret().optional().describe('Access key that may put, read and delete there'),
  VIDEO_STORE_SECRET_ACCESS_KEY: secret().optional().describe('Its secret'),
};

interface VideoStoreSettings {
  VIDEO_STORE_BUCKET?: string | undefined;
  VIDEO_STORE_ENDPOINT?: string | undefined;
  VIDEO_STORE_REGION: string;
  VIDEO_STORE_PREFIX: string;
  VIDEO_STORE_ACCESS_KEY_ID?: string | undefined;
  VIDEO_STORE_SECRET_ACCESS_KEY?: string | undefined;
}

/** The check that a bucket has credentials. */
export const needsStoreKeys = [
  ({
    VIDEO_STORE_BUCKET: bucket,
    VIDEO_STORE_ACCESS_KEY_ID: id,
    VIDEO_STORE_SECRET_ACCESS_KEY: key,
  }: VideoStoreSettings): boolean => bucket === undefined || (id !== undefined && key !== undefined),
  {
    path: ['VIDEO_STORE_BUCKET'] as PropertyKey[],
    message: 'needs VIDEO_STORE_ACCESS_KEY_ID and VIDEO_STORE_SECRET_ACCESS_KEY',
  },
] as const;

/** Where copies are kept; undefined where none are. */
export function videoStoreOf(settings: VideoStoreSettings) {
  const {
    VIDEO_STORE_BUCKET: bucket,
    VIDEO_STORE_ACCESS_KEY_ID: accessKeyId,
    VIDEO_STORE_SECRET_ACCESS_KEY: secretAccessKey,
  } = settings;
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const { VIDEO_STORE_ENDPOINT: endpoint, VIDEO_STORE_REGION: region } = settings;
  return { endpoint, region, bucket, accessKeyId, secretAccessKey };
}
