/** Monitors of a few lines as programs, for targets that start something. Plain Node, so that they start fast. */
import { commandTarget, type ExecutableSettings } from '../../targets/executable.js';
import type { Target } from '../../targets/target.js';

/** JavaScript (without single quotes) in which `path` is the socket's path, as a command template. */
export const program = (script: string): string =>
  `${process.execPath} -e 'const path = process.argv[1]; ${script}' {qmp-path}`;

export const script = (script: string, settings?: ExecutableSettings): Target =>
  commandTarget('tiny', program(script), { readiness: 5000, deadline: 1000, ...settings });

/**
 * Listens, greets, and answers each line: `execute`, `args` and `id` are known to `answer`, whose value is the reply without
 * its id.
 */
export const monitor = (answer: string, settings?: ExecutableSettings): Target =>
  script(
    `require("net").createServer((socket) => {
      socket.on("error", () => {});
      socket.write(JSON.stringify({ QMP: { version: { qemu: { major: 3, minor: 0, micro: 50 }, package: "" }, capabilities: [] } }) + "\\r\\n");
      let text = "";
      socket.on("data", (chunk) => {
        const lines = (text + chunk).split("\\n");
        text = lines.pop();
        for (const line of lines) {
          const { execute, arguments: args, id } = JSON.parse(line);
          const reply = ${answer};
          if (reply !== undefined) socket.write(JSON.stringify({ ...reply, id }) + "\\r\\n");
        }
      });
    }).listen(path);`.replace(/\s*\n\s*/g, ' '),
    settings,
  );

/** What a monitor in order says, and nothing more. */
export const inOrder = `execute.startsWith("qmpspec-") ? { error: { class: "CommandNotFound", desc: "" } } : { return: {} }`;
