/** `qmpspec stream`: recorded migration streams, shown, checked, unpacked and made. */
import { Command, Option } from 'commander';
import { dialectNames } from '../reference/dialects/dialect.js';
import { type Io, processIo } from './io.js';
import { gather, wholeNumber } from './options.js';
import type { CheckOptions } from './stream/check.js';
import type { DumpOptions } from './stream/dump.js';
import type { ExtractOptions } from './stream/extract.js';
import type { MakeOptions } from './stream/make.js';

/** The commands are loaded when they are called: starting must be quick. */
export function streamCommand(io: Io = processIo()): Command {
  const command = new Command('stream').description('show, check, unpack and make recorded migration streams');
  reading(command.command('dump'))
    .description('show what a stream holds: machine, RAM records, sections, devices, commands')
    .argument(
      '<file>',
      'recorded main channel, - for standard input, or unix:PATH or tcp:HOST:PORT to wait for a migration',
    )
    .option('--json', 'print JSON')
    .option('--return-path <file>', 'recorded return path of the same connection')
    .action(async (file: string, options: DumpOptions) => {
      await (await import('./stream/dump.js')).dump(file, options, io);
    });
  reading(command.command('check'))
    .description('check a stream against the format; every violation with its offset')
    .argument(
      '<file>',
      'recorded main channel, - for standard input, or unix:PATH or tcp:HOST:PORT to wait for a migration',
    )
    .option('--json', 'print JSON')
    .option('--return-path <file>', 'recorded return path of the same connection')
    .action(async (file: string, options: CheckOptions) => {
      await (await import('./stream/check.js')).check(file, options, io);
    });
  reading(command.command('extract'))
    .description("write the guest's RAM to a file, its blocks one behind the other")
    .argument(
      '<file>',
      'recorded main channel, - for standard input, or unix:PATH or tcp:HOST:PORT to wait for a migration',
    )
    .requiredOption('-o, --out <file>', 'RAM image to write')
    .option('--block <name>', 'only this RAM block')
    .action(async (file: string, options: ExtractOptions) => {
      await (await import('./stream/extract.js')).extract(file, options, io);
    });
  making(command.command('make')).action(async (image: string, options: MakeOptions) => {
    await (await import('./stream/make.js')).make(image, options, io);
  });
  return command;
}

function reading(command: Command): Command {
  return command
    .addOption(
      new Option('--dialect <name>', 'read as this dialect (default: found out from the stream)').choices(dialectNames),
    )
    .option('--no-footers', 'sections have no footers (default: as the first section)')
    .option('--after <file>', 'of a recovery connection: the connection before it')
    .option('--channel <file>', 'recorded multifd data channel; once for each', gather)
    .addOption(
      new Option('--compression <method>', 'multifd compression (default: as in the channels)').choices([
        'none',
        'zlib',
        'zstd',
      ]),
    )
    .option(
      '--pages-per-packet <n>',
      'x-multifd-page-count of the baseline (default: as in the channels)',
      wholeNumber(1, 100_000),
    );
}

function making(command: Command): Command {
  return command
    .description('make a stream that loads a RAM image into a machine without devices')
    .argument('<image>', 'RAM image')
    .requiredOption(
      '-o, --out <file>',
      'stream to write, - for standard output, or unix:PATH or tcp:HOST:PORT of a waiting destination',
    )
    .addOption(new Option('--dialect <name>', 'write as this dialect').choices(dialectNames).default('7.2'))
    .option('--machine <name>', 'machine name', 'none')
    .option('--block <name>', 'name of the RAM block', 'ram')
    .option('--size <bytes>', 'RAM of the machine (default: the image, in whole pages)', wholeNumber(4096, 2 ** 46))
    .option(
      '--capability <name>',
      'as the source has it on: xbzrle, compress, multifd, postcopy-ram, return-path',
      gather,
    )
    .option('--before <file>', 'what RAM held in the first pass; pages that differ are sent once more')
    .option('--compress <level>', 'compress pages with this zlib level', wholeNumber(0, 9))
    .option('--switch-at <percent>', 'go over to postcopy after this much of the first pass (50)', wholeNumber(0, 100))
    .option(
      '--channels <n>',
      'multifd data channels: OUT.ch0 and so on beside a file, connections to an address',
      wholeNumber(1, 255),
    )
    .addOption(new Option('--compression <method>', 'multifd compression').choices(['none', 'zlib', 'zstd']))
    .option('--level <n>', 'level of the multifd compression (1)', wholeNumber(0, 20))
    .option('--pages-per-packet <n>', 'x-multifd-page-count of the baseline', wholeNumber(1, 100_000))
    .option('--state <name>', 'run state that the destination enters', 'running')
    .option('--no-devices', 'leave out the device sections')
    .option('--no-vmdescription', 'leave out the vmdescription')
    .option('--no-footers', 'leave out the footers');
}
