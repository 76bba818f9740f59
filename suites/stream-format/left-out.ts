/** What stream-format.md, xbzrle.md and multifd.md say and no requirement states, each with the reason. */
export const leftOut: Readonly<Record<string, string>> = {
  'stream-format.md §2, send-configuration off':
    'a property of the machine: no source with it can be told from one without',
  'stream-format.md §3, alias and older instance ids': 'the machine that targets are started with has no such device',
  'stream-format.md §3, streams without footers': 'machine types that the targets are not started with',
  'stream-format.md §5.1, page sizes in the setup': 'needs memory of 2 MiB pages of the host',
  'stream-format.md §5.2, zero-page-detection none': 'a setting of one release alone',
  'stream-format.md §7, block and dirty-bitmap': 'the machine that targets are started with has no drives',
  'stream-format.md §9.2, order in a page of the host': 'needs memory of 2 MiB pages of the host',
  'stream-format.md §9.5, postcopy-preempt and mapped-ram': 'no part of the baseline',
  'stream-format.md §10, name of 4 GiB': 'every release ends in its allocator there, and no behaviour is prescribed',
  'stream-format.md §10, package of 4 GiB': 'every release first takes memory for all of it',
  'stream-format.md §10, discard without LISTEN': 'nothing happens, for ever',
  'stream-format.md §12, COLO messages': 'stated by the chapter on COLO of state-machine.md',
  'xbzrle.md §3, resizing during a migration': 'what is prescribed shows in no figure that a client can ask for',
  'xbzrle.md §4, cache-miss-rate and encoding-rate': 'move only when two synchronisations are more than a second apart',
  'multifd.md §5, fewer or more connections': 'a wait for ever, or pages that are lost without a word',
  'multifd.md §6, cross-version': 'takes monitors of two releases',
};
