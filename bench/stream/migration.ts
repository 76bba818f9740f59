/** Times whole migrations between two monitors over a unix socket. */
import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isObject, type JsonObject } from '../../protocol/json.js';
import type { Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import type { Instance, Target } from '../../targets/target.js';
import { processorTime } from '../figures.js';

export interface MigrationJob {
  readonly source: Target;
  readonly destination: Target;
  /** File of the source's RAM. */
  readonly image: string;
  /** RAM of both ends in MiB. */
  readonly memory: number;
  readonly multifd: boolean;
}

/** Milliseconds that a migration may take before the benchmark gives up. */
const patience = 120_000;

export interface MigrationTime {
  /** Seconds from sending `migrate` to the source's event `completed`. */
  readonly wall: number;
  /** Processor seconds that the source and the destination took meanwhile. */
  readonly source: number;
  readonly destination: number;
}

/**
 * Migrates once.
 * @param digest when given, the RAM of the destination must have this SHA-256
 */
export async function migrateOnce(job: MigrationJob, digest?: string): Promise<MigrationTime> {
  const destination = await job.destination.start({ memory: job.memory, incoming: 'defer' });
  const source = await job.source.start({ memory: job.memory, ramImage: job.image });
  try {
    const to = await ready(destination, job);
    const from = await ready(source, job);
    const path = join(destination.scratch, 'migration.sock');
    await done(to, 'migrate-incoming', { uri: `unix:${path}` });
    const used = [secondsOf(source), secondsOf(destination)] as const;
    const began = performance.now();
    await done(from, 'migrate', { uri: `unix:${path}` });
    const ended = await from.event('MIGRATION', { test: isEnd, deadline: patience });
    const wall = (performance.now() - began) / 1000;
    if (statusOf(ended) !== 'completed') throw new Error(`${job.source.name}: the migration ended as ${ended.text}`);
    await to.event('RESUME', { deadline: patience });
    const time = {
      wall,
      source: secondsOf(source) - used[0],
      destination: secondsOf(destination) - used[1],
    };
    if (digest !== undefined) await compare(to, destination, job, digest);
    return time;
  } finally {
    await source.dispose();
    await destination.dispose();
  }
}

/** Processor seconds so far; what is not told is no number. */
const secondsOf = ({ pid }: Instance): number => (processorTime(pid) ?? Number.NaN) / 1000;

/** SHA-256 of a file. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

async function ready(instance: Instance, { multifd }: MigrationJob): Promise<Session> {
  const session = await instance.connect();
  await session.negotiate();
  const names = multifd ? ['events', 'multifd'] : ['events'];
  const capabilities = names.map((capability) => ({ capability, state: true }));
  await done(session, 'migrate-set-capabilities', { capabilities });
  await done(session, 'migrate-set-parameters', { 'max-bandwidth': 0 });
  return session;
}

async function done(session: Session, execute: string, args: JsonObject): Promise<void> {
  const reply = await session.command(execute, args, { deadline: patience });
  if (reply.kind !== 'success') throw new Error(`${execute}: ${reply.text}`);
}

async function compare(to: Session, instance: Instance, { memory }: MigrationJob, digest: string): Promise<void> {
  const filename = join(instance.scratch, 'ram.img');
  await done(to, 'pmemsave', { val: 0, size: memory * 1024 * 1024, filename });
  const found = await digestOf(filename);
  rmSync(filename);
  if (found !== digest) throw new Error(`RAM of the destination differs after ${memory} MiB were migrated`);
}

function statusOf({ value }: Received): unknown {
  return isObject(value) && isObject(value.data) ? value.data.status : undefined;
}

const isEnd = ({ status }: JsonObject): boolean => status === 'completed' || status === 'failed';
