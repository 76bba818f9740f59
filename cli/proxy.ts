/** `qmpspec proxy`: between any client and any monitor, judging what passes. */
import { once } from 'node:events';
import { createWriteStream, openSync, type WriteStream } from 'node:fs';
import { Command } from 'commander';
import { StorageError } from '../campaign/folder.js';
import { exitCodes } from '../oracle/exit-codes.js';
import { explainDivergence } from '../oracle/explain.js';
import { JudgingProxy } from '../oracle/proxy.js';
import { capabilityNames, judgedAs, type Release, releaseOf } from '../oracle/release.js';
import { type Address, formatAddress, isLocal, parseAddress } from '../protocol/address.js';
import { Session } from '../protocol/session.js';
import { Transcript } from '../protocol/transcript.js';
import { asListed, buildParts, builtWithout, withoutKnowingTheHost } from '../reference/dialects/built-without.js';
import { type Dialect, type DialectName, dialects } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';
import { renderJudgement } from '../reports/judgement.js';
import { UsageError } from './failures.js';
import { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { judgementExit } from './judge.js';
import { dialectOption } from './options.js';

interface ProxyCliOptions {
  readonly listen: string;
  readonly connect: string;
  readonly dialect?: DialectName;
  readonly strictDesc: boolean;
  readonly transcript?: string;
  readonly once: boolean;
  readonly allowRemote: boolean;
}

export function proxyCommand(io: Io): Command {
  return new Command('proxy')
    .description('pass every byte between a client and a monitor, and judge what passes')
    .requiredOption('--listen <address>', 'where clients connect: unix:PATH or tcp:HOST:PORT')
    .requiredOption('--connect <address>', 'the monitor')
    .addOption(dialectOption())
    .option('--strict-desc', 'compare error texts too', false)
    .option('--transcript <file>', 'write the transcript there as it comes')
    .option('--once', 'end when the first client has gone', false)
    .option('--allow-remote', 'listen beyond this host, for whoever comes', false)
    .addHelpText('after', '\nEnds with Ctrl-C: then the judgement is printed, and the exit code tells it.')
    .action((options: ProxyCliOptions) => proxy(options, io));
}

async function proxy(options: ProxyCliOptions, io: Io): Promise<void> {
  const listen = address(options.listen);
  const connect = address(options.connect);
  if (!isLocal(listen) && !options.allowRemote) {
    throw new UsageError(
      `${formatAddress(listen)} can be reached from other hosts; listen on 127.0.0.1, or --allow-remote if that is meant`,
    );
  }
  const { release, listed } = await asked(connect, options.dialect);
  const own = options.dialect === undefined ? judgedAs(release) : judgedBy(dialects[options.dialect]);
  const asBuilt = (one: Dialect) => withoutKnowingTheHost(listed === undefined ? one : asListed(one, listed));
  const dialect = asBuilt(own.dialect);
  const readings = own.readings.map(asBuilt);
  const file = options.transcript === undefined ? undefined : opened(options.transcript);
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const relay = await JudgingProxy.open({
    listen,
    connect,
    judge: {
      dialect,
      // What it lists all the same and refuses, only a refusal shows.
      readings: [...readings, builtWithout(dialect, listedAllTheSame)],
      schema: loadSchema(dialect.name),
      defects: own.defects,
      strictDesc: options.strictDesc,
    },
    onDivergence: (divergence) => io.err.write(`${explainDivergence(divergence, relay.transcript).join('\n')}\n`),
    onFault: (text) => io.err.write(`qmpspec: ${text}\n`),
  });
  const interrupt = new Interrupt(end);
  io.err.write(`relaying ${formatAddress(listen)} to ${formatAddress(connect)}, judging by dialect ${dialect.name}\n`);
  if (options.once) {
    relay.transcript.follow(({ kind }) => {
      if (kind === 'eof' || kind === 'disconnected') end();
    });
  }
  const recorded = file === undefined ? undefined : record(relay.transcript, file, String(options.transcript));
  await ended;
  interrupt.release();
  await relay.close();
  const fault = await recorded?.();
  io.out.write(renderJudgement(relay.judgement, relay.transcript, io.out.colors));
  io.exitCode = judgementExit(relay.judgement);
  if (fault === undefined) return;
  io.err.write(`qmpspec: the transcript is incomplete: ${fault.message}\n`);
  if (io.exitCode !== exitCodes.divergences) io.exitCode = exitCodes.storage;
}

/** @throws StorageError */
function opened(path: string): WriteStream {
  try {
    return createWriteStream(path, { fd: openSync(path, 'w') });
  } catch (error) {
    throw new StorageError(path, '', error);
  }
}

/** Writes a transcript as it comes; the result ends the file, and gives what went wrong with it. */
function record(transcript: Transcript, file: WriteStream, path: string): () => Promise<StorageError | undefined> {
  const failed = once(file, 'error').then(([error]) => new StorageError(path, '', error));
  file.write(Transcript.line(transcript.header));
  for (const entry of transcript.entries) file.write(Transcript.line(entry));
  const stop = transcript.follow((entry) => file.write(Transcript.line(entry)));
  return async () => {
    stop();
    const written = new Promise<undefined>((resolve) => {
      file.once('finish', () => resolve(undefined)).end(Transcript.line(transcript.footer));
    });
    return Promise.race([failed, written]);
  };
}

const listedAllTheSame = buildParts.filter(({ listed }) => listed);

/** As {@link judgedAs}, whatever the monitor says of its release. */
const judgedBy = (dialect: Dialect): ReturnType<typeof judgedAs> => ({ dialect, readings: [], defects: new Set() });

/** What the monitor says of itself: without it there is no dialect, and one that was named needs none of it. */
async function asked(connect: Address, dialect: DialectName | undefined): ReturnType<typeof ask> {
  if (dialect === undefined) return ask(connect);
  try {
    return await ask(connect);
  } catch {
    return {};
  }
}

/** The monitor's release, and the capabilities that it lists. One connection beforehand: most monitors serve one client at a time. */
async function ask(connect: Address): Promise<{ release?: Release; listed?: ReadonlySet<string> }> {
  const session = await Session.connect(connect);
  try {
    const release = releaseOf((await session.greeting()).value);
    if (release === undefined) return {};
    const listed = await capabilitiesOf(session);
    return { release, ...(listed === undefined ? {} : { listed }) };
  } finally {
    session.close();
  }
}

/** `undefined` where it does not list them: what is wrong with its answers is for the judgement to say. */
async function capabilitiesOf(session: Session): Promise<ReadonlySet<string> | undefined> {
  try {
    await session.negotiate();
    return capabilityNames((await session.command('query-migrate-capabilities')).value);
  } catch {
    return undefined;
  }
}

function address(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
