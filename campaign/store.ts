/**
 * The folder of a campaign. Everything is written at once and whole, so that a campaign which is killed at any moment goes on
 * from its folder:
 *
 *     campaign.json     what it is: target, seed, options
 *     log.ndjson        one line for each stretch of work, finding, start and end
 *     corpus/           cases that showed something new
 *     findings/ID/      case.json, transcript.jsonl, report.md, repro.sh
 *     pending/          seen, not yet confirmed
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseFile, parseCase, stringifyCase } from './case-file.js';
import { type FolderFile, Log, makeFolder, StorageError, sweepTemporaries, writeFolder, writeWhole } from './folder.js';

export const campaignVersion = 1;

export interface CampaignHeader {
  readonly campaign: typeof campaignVersion;
  readonly target: string;
  readonly dialect?: string;
  readonly seed: number;
  readonly only: readonly string[];
}

/** What a campaign has done, summed over all its runs. */
export interface Progress {
  readonly next: number;
  readonly cases: number;
  readonly commands: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The folder cannot be used. The message says why, and what to do. */
export class CampaignFolderError extends Error {
  override readonly name = 'UsageError';
}

export class Store {
  readonly log: Log;
  private numbers = 0;

  private constructor(
    readonly folder: string,
    readonly header: CampaignHeader,
    /** It was there before. */
    readonly resumed: boolean,
  ) {
    this.log = Log.open(join(folder, 'log.ndjson'));
    for (const place of [folder, join(folder, 'pending'), join(folder, 'findings'), join(folder, 'corpus')])
      sweepTemporaries(place);
    for (const name of this.pendingNames())
      this.numbers = Math.max(this.numbers, Number(/^(\d+)/.exec(name)?.[1] ?? 0));
  }

  /**
   * Makes the folder, or goes on with the campaign in it.
   * @throws CampaignFolderError when it holds another campaign, or something else; StorageError
   */
  static open(folder: string, header: CampaignHeader): Store {
    const path = join(folder, 'campaign.json');
    const before = readHeader(folder);
    if (before !== undefined) {
      if (before.target !== header.target) {
        throw new CampaignFolderError(
          `${folder} holds a campaign against ${before.target}, not ${header.target}: name another folder`,
        );
      }
      return new Store(folder, before, true);
    }
    try {
      makeFolder(folder);
    } catch (error) {
      throw new StorageError(folder, '', error);
    }
    const others = readdirSync(folder).filter((name) => !name.startsWith('.'));
    if (others.length > 0) {
      throw new CampaignFolderError(
        `${folder} holds something that is no campaign (${others[0]}): name an empty folder`,
      );
    }
    writeWhole(path, `${JSON.stringify(header, null, 2)}\n`);
    return new Store(folder, header, false);
  }

  get corpusFolder(): string {
    return join(this.folder, 'corpus');
  }

  findingFolder(id: string): string {
    return join(this.folder, 'findings', id);
  }

  /** Where the last run left off, and every coverage key that was reached. */
  recall(): { readonly progress: Progress; readonly keys: readonly string[] } {
    let progress: Progress = { next: 0, cases: 0, commands: 0, duration: 0 };
    const keys: string[] = [];
    for (const line of this.log.before) {
      if (line.event !== 'progress') continue;
      const { next, cases, commands, duration } = line as unknown as Progress;
      if ([next, cases, commands, duration].every((one) => typeof one === 'number'))
        progress = { next, cases, commands, duration };
      if (Array.isArray(line.keys)) keys.push(...line.keys.filter((one): one is string => typeof one === 'string'));
    }
    return { progress, keys };
  }

  /** Findings that were written before, by id. */
  findings(): Map<string, CaseFile> {
    const found = new Map<string, CaseFile>();
    const folder = join(this.folder, 'findings');
    if (!existsSync(folder)) return found;
    for (const id of readdirSync(folder).sort()) {
      const path = join(folder, id, 'case.json');
      if (id.startsWith('.') || !existsSync(path)) continue;
      const { file } = parseCase(readFileSync(path, 'utf8'));
      if (file !== undefined) found.set(id, file);
    }
    return found;
  }

  /** Keeps a case until it is confirmed. @returns its name, for {@link settle}; @throws StorageError */
  hold(file: CaseFile, transcript: string): string {
    const name = `${String(++this.numbers).padStart(6, '0')}-${file.signature}`;
    writeFolder(join(this.folder, 'pending', name), [
      { name: 'case.json', content: stringifyCase(file) },
      { name: 'transcript.jsonl', content: transcript },
    ]);
    return name;
  }

  settle(name: string): void {
    rmSync(join(this.folder, 'pending', name), { recursive: true, force: true });
  }

  /** Cases that an earlier run did not come to confirm. */
  pending(): { readonly name: string; readonly file: CaseFile; readonly transcript: string }[] {
    return this.pendingNames().flatMap((name) => {
      const folder = join(this.folder, 'pending', name);
      const { file } = parseCase(readFileSync(join(folder, 'case.json'), 'utf8'));
      return file === undefined
        ? []
        : [{ name, file, transcript: readFileSync(join(folder, 'transcript.jsonl'), 'utf8') }];
    });
  }

  /** @throws StorageError */
  writeFinding(id: string, files: readonly FolderFile[]): void {
    writeFolder(this.findingFolder(id), files);
  }

  private pendingNames(): string[] {
    const folder = join(this.folder, 'pending');
    return existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => !name.startsWith('.'))
          .sort()
      : [];
  }
}

/** The campaign that a folder holds; `undefined` when it holds none. @throws CampaignFolderError */
export function readHeader(folder: string): CampaignHeader | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, 'campaign.json'), 'utf8');
  } catch {
    return undefined;
  }
  let header: Partial<CampaignHeader>;
  try {
    header = JSON.parse(text) as Partial<CampaignHeader>;
  } catch {
    throw new CampaignFolderError(`${join(folder, 'campaign.json')} is not JSON: name another folder`);
  }
  if (header.campaign !== campaignVersion || typeof header.target !== 'string' || typeof header.seed !== 'number') {
    throw new CampaignFolderError(`${folder} holds no campaign of format ${campaignVersion}: name another folder`);
  }
  return { ...(header as CampaignHeader), only: header.only ?? [] };
}
