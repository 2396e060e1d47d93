// A real MP4 of one still picture: H.264 baseline with raw (I_PCM) macroblocks, so that no encoder is needed.

const MACROBLOCKS_WIDE = 10;
const MACROBLOCKS_HIGH = 6;
const WIDTH = MACROBLOCKS_WIDE * 16;
const HEIGHT = MACROBLOCKS_HIGH * 16;

class BitWriter {
  #bits: number[] = [];

  bits(value: number, count: number): this {
    for (let shift = count - 1; shift >= 0; shift--) this.#bits.push((value >> shift) & 1);
    return this;
  }

  /** Exp-Golomb codes, as the H.264 syntax writes most of its numbers. */
  golomb(...values: number[]): this {
    for (const value of values) {
      const length = 31 - Math.clz32(value + 1);
      this.bits(0, length).bits(value + 1, length + 1);
    }
    return this;
  }

  align(): this {
    while (this.#bits.length % 8 !== 0) this.#bits.push(0);
    return this;
  }

  end(): Buffer {
    this.bits(1, 1).align();
    const bytes = Buffer.alloc(this.#bits.length / 8);
    for (const [at, bit] of this.#bits.entries()) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (bit << (7 - (at & 7)));
    return bytes;
  }
}

function unit(header: number, payload: Buffer): Buffer {
  const bytes = [header];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(bytes);
}

const sequence = (): Buffer =>
  new BitWriter()
    .bits(66, 8)
    .bits(0xc0, 8)
    .bits(30, 8)
    .golomb(0, 0, 2, 0)
    .bits(0, 1)
    .golomb(MACROBLOCKS_WIDE - 1, MACROBLOCKS_HIGH - 1)
    .bits(0b1100, 4)
    .end();

const picture = (): Buffer =>
  new BitWriter().golomb(0, 0).bits(0, 2).golomb(0, 0, 0).bits(0, 3).golomb(0, 0, 0).bits(0b100, 3).end();

function slice(): Buffer {
  const writer = new BitWriter().golomb(0, 7, 0).bits(0, 4).golomb(0).bits(0, 2).golomb(0, 1);
  for (let block = 0; block < MACROBLOCKS_WIDE * MACROBLOCKS_HIGH; block++) {
    const luma = 70 + (block % MACROBLOCKS_WIDE) * 14;
    writer.golomb(25).align();
    for (let sample = 0; sample < 256; sample++) writer.bits(luma, 8);
    for (let sample = 0; sample < 64; sample++) writer.bits(150, 8);
    for (let sample = 0; sample < 64; sample++) writer.bits(110, 8);
  }
  return writer.end();
}

const u16 = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
const u32 = (...values: number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );
const zeros = (count: number): Buffer => Buffer.alloc(count);
const box = (name: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(name, 'latin1'), body]);
};
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

function sampleEntry(sps: Buffer, pps: Buffer): Buffer {
  const configuration = Buffer.concat([
    Buffer.from([1, sps[1] ?? 0, sps[2] ?? 0, sps[3] ?? 0, 0xff, 0xe1]),
    ...[u16(sps.length), sps, Buffer.from([1]), u16(pps.length), pps],
  ]);
  const head = [zeros(6), u16(1), zeros(16), u16(WIDTH, HEIGHT), u32(0x480000, 0x480000, 0), u16(1), zeros(32)];
  return box('avc1', ...head, u16(24, 0xffff), box('avcC', configuration));
}

function movie(sample: Buffer, sps: Buffer, pps: Buffer, offset: number, ms: number): Buffer {
  const table = box(
    'stbl',
    box('stsd', u32(0, 1), sampleEntry(sps, pps)),
    box('stts', u32(0, 1, 1, ms)),
    box('stsc', u32(0, 1, 1, 1, 1)),
    box('stsz', u32(0, 0, 1, sample.length)),
    box('stco', u32(0, 1, offset)),
  );
  const information = box(
    'minf',
    box('vmhd', u32(1), zeros(8)),
    box('dinf', box('dref', u32(0, 1), box('url ', u32(1)))),
    table,
  );
  const media = box(
    'mdia',
    box('mdhd', u32(0, 0, 0, 1000, ms), u16(0x55c4, 0)),
    box('hdlr', u32(0, 0), Buffer.from('vide'), zeros(12), Buffer.from('video\0')),
    information,
  );
  const header = box('tkhd', u32(3, 0, 0, 1, 0, ms), zeros(16), MATRIX, u32(WIDTH << 16, HEIGHT << 16));
  const whole = box('mvhd', u32(0, 0, 0, 1000, ms, 0x10000), u16(0x100), zeros(10), MATRIX, zeros(24), u32(2));
  return box('moov', whole, box('trak', header, media));
}

/** Builds a playable MP4 that lasts `seconds`. */
export function tinyMp4(seconds: number): Buffer {
  const [sps, pps] = [unit(0x67, sequence()), unit(0x68, picture())];
  const frame = unit(0x65, slice());
  const sample = Buffer.concat([u32(frame.length), frame]);
  const type = box('ftyp', Buffer.from('isom'), u32(0x200), Buffer.from('isomiso2avc1mp41'));
  const ms = Math.round(seconds * 1000);
  const offset = type.length + movie(sample, sps, pps, 0, ms).length + 8;
  return Buffer.concat([type, movie(sample, sps, pps, offset, ms), box('mdat', sample)]);
}

/** A one-pixel PNG. */
export const TINY_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
