/** Known defects of released monitors that are nothing but a death of the process (commands.md §17), by its last words, as data. */
import type { KnownDefect } from './known-defect.js';
import { stillThere } from './known-defect-releases.js';

export const crashes: readonly KnownDefect[] = [
  {
    // Pages of a sparc64, for example. Seen on 7.2; nothing tells it but the size of the pages and the signal.
    id: 'MIG-DEF-53',
    title: "a source whose pages are larger than the host's divides by zero as it sends its memory",
    from: [6, 0],
    to: [7, 9],
  },
  {
    id: 'MIG-DEF-25',
    title: 'a machine name of 2 GiB or more in the configuration kills the destination by a negative allocation',
    from: [3, 0],
    to: [10, 9],
    crash: /failed to allocate 18446744\d{12} bytes/,
  },
  {
    // A postcopy over data channels, or xen-load-devices-state on a stopped guest: a user of the connection that is none.
    id: 'MIG-DEF-27',
    title: 'a load that registered no connection to be yanked unregisters one, and aborts',
    from: [6, 0],
    to: [10, 9],
    crash: /yank_unregister_instance: Assertion/,
  },
  {
    id: 'MIG-DEF-30',
    title: 'tls-authz set to null aborts the process',
    from: [4, 0],
    to: [7, 1],
    crash: /params->tls_authz->type == QTYPE_QSTRING' failed/,
  },
  {
    // What ends the tracking of its pages runs beside what ends the checkpoints, and one of them comes second. Seen on 7.2 and
    // 10.0; before 6.2 nothing says what the tracking is for.
    id: 'MIG-DEF-35',
    title: 'a secondary of COLO that takes over may abort when the tracking of dirty pages is ended twice',
    from: [6, 2],
    to: stillThere,
    crash: /\(global_dirty_tracking & flags\) == flags' failed/,
  },
  {
    // While a guest stands still the end of the tracking is put off until it runs again. Seen on 6.2, and neither on 5.2 nor on 7.2.
    id: 'MIG-DEF-54',
    title: 'a source with a stopped guest aborts when it migrates again after a migration that was cancelled or failed',
    from: [6, 2],
    to: [7, 1],
    crash: /memory_global_dirty_log_start: Assertion `!\(global_dirty_tracking & flags\)' failed/,
  },
  {
    // The channel registers with what the end of the migration has let go of. Seen once on 7.2, whose channels are made on the side;
    // later ones wait for them.
    id: 'MIG-DEF-37',
    title: 'a source may abort when its migration fails while data channels are still being connected',
    from: [6, 0],
    to: [8, 2],
    crash: /yank_register_function: Assertion .entry' failed/,
  },
  {
    // The run state of before the switch-over is only noted where there is no postcopy. Seen on 8.2, and not on 9.2.
    id: 'MIG-DEF-39',
    title: 'a source whose postcopy fails or is cancelled aborts as it puts back a run state that it never noted',
    from: [8, 1],
    to: [9, 1],
    crash: /runstate_set: Assertion `new_state < RUN_STATE__MAX' failed/,
  },
  {
    // Seen on 8.2, and not on 9.2.
    id: 'MIG-DEF-40',
    title: 'a destination that is to become a secondary of COLO aborts as it looks at its disks',
    from: [8, 1],
    to: [9, 1],
    crash: /bdrv_graph_rdlock_main_loop: Assertion `!qemu_in_coroutine\(\)' failed/,
  },
  {
    // Seen on a 4.2, and neither on a 5.2 nor on later ones.
    id: 'MIG-DEF-46',
    title: 'a primary of COLO aborts at a checkpoint',
    from: [4, 0],
    to: [5, 1],
    crash: /qemu_mutex_lock_impl: Assertion `mutex->initialized' failed/,
  },
  {
    // Of machines with a firmware that maps memory anew. Seen on 5.2, 6.2, 7.2 and 9.2, and neither on 11.0 nor on 11.1.
    id: 'MIG-DEF-49',
    title: 'a secondary of COLO aborts as it loads a checkpoint over what its own guest has mapped',
    from: [5, 0],
    to: [10, 9],
    crash: /memory_region_add_subregion_common: Assertion `!subregion->container' failed/,
  },
  {
    // Of an ARM machine whose flash is beside its RAM: seen on a 10.0, and not on a 7.2.
    id: 'MIG-DEF-51',
    title: 'a primary or secondary of COLO aborts as the tracking of its dirty pages crosses the end of a block',
    from: [8, 0],
    to: [10, 0],
    crash: /tlb_reset_dirty_range_all: Assertion `block == qemu_get_ram_block\(end - 1\)' failed/,
  },
  {
    id: 'MIG-DEF-20',
    title: 'x-checkpoint-delay that is set at the moment at which COLO begins or ends aborts the process',
    from: [7, 2],
    to: [7, 2],
    crash: /qemu_event_set: Assertion `ev->initialized' failed/,
  },
];
