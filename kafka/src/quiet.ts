/** kafkajs sets a timer to a time long gone with every request; Node.js 24 warns of it on stderr, once a process. */
let isQuiet = false;

export function quietTimerWarning(): void {
  if (isQuiet) return;
  isQuiet = true;
  const printers = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'TimeoutNegativeWarning') return;
    for (const print of printers) print(warning);
  });
}
