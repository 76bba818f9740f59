/** Rows of qmp-protocol.md that no requirement stands for, and why. */
export interface LeftOut {
  readonly id: string;
  readonly reason: string;
}

const because = (reason: string, ...ids: readonly string[]): LeftOut[] => ids.map((id) => ({ id, reason }));

export const leftOut: readonly LeftOut[] = [
  ...because('it promises nothing: whether the commands run is left open', 'QMP-TRANS-15'),
  ...because('speed of reading is a fact about one implementation', 'QMP-TRANS-17'),
  ...because('multiplexed devices cannot be reached by the targets of this tool', 'QMP-GREET-08', 'QMP-EVT-17'),
  ...because('a rare, permitted repetition: every session tolerates it', 'QMP-GREET-09'),
  ...because('needs minutes and gigabytes', 'QMP-LIM-04', 'QMP-LIM-05'),
  ...because('no command of any known release takes such a type', 'QMP-ARG-12'),
  ...because('needs a host whose clock cannot be read', 'QMP-EVT-03'),
  ...because(
    'needs devices that raise these events, and whole seconds',
    'QMP-EVT-30',
    'QMP-EVT-31',
    'QMP-EVT-32',
    'QMP-D-48',
  ),
  ...because('whether malformed input is dropped depends on how quickly it is read', 'QMP-OOB-12'),
  ...because('needs a guest that shuts itself down', 'QMP-RUN-26'),
  ...because(
    'a defect that ends or blocks the process: it is not provoked',
    'QMP-BUG-01',
    'QMP-BUG-02',
    'QMP-BUG-03',
    'QMP-BUG-04',
  ),
  ...because('no command can be disabled from outside', 'QMP-D-10'),
  ...because('transitions that no command causes', 'QMP-D-64', 'QMP-D100-08'),
];
