/** Imported by each benchmark: what ends one is told in one line with the exit code of the program, `QMPSPEC_DEBUG=1` shows where. */
import { explainFailure } from '../cli/failures.js';

process.on('uncaughtException', (error) => {
  const { exitCode, message } = explainFailure(error, process.env.QMPSPEC_DEBUG === '1');
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
});
