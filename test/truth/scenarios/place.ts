/** Where a process runs: containers, pods and units, as the path of its cgroup tells. */
import { mkdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { exchange } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Fields, Truth } from '../truth.ts';

/** A client in the cgroup `path` below the scenario's; the server is in the scenario's own, and in nothing else. */
async function placed(t: Truth, path: readonly string[], place: Fields): Promise<void> {
  const network = await t.network();
  const actor = await network.actor();
  const folders = path.map((_, depth) => [t.stage.cgroup, ...path.slice(0, depth + 1)].join('/'));
  const folder = folders.at(-1) ?? '';
  for (const one of folders) mkdirSync(one);
  t.after(() => {
    for (const one of folders.toReversed()) rmdirSync(one);
  });
  writeFileSync(`${folder}/cgroup.procs`, String(actor.process.pid));
  const pair = await t.pair(actor, await network.actor());
  await exchange(pair);
  const { client, server } = pair;
  await client.close();
  await server.receive(1);
  await server.close();
  const { ino } = statSync(folder);
  t.closed(client, 'closed_local', {
    about: {
      cgroup_path: [t.stage.cgroupPath, ...path].join('/'),
      cgroup_id: ino,
      socket_cgroup_id: ino,
      ...place,
    },
  });
  t.closed(server, 'closed_peer');
}

const POD = '0a1b2c3d-1111-2222-3333-444455556666';
const CONTAINER = 'c0ffee'.repeat(11).slice(0, 64);

export const PLACE: readonly Scenario[] = [
  scenario('container', 'a process in the cgroup of a container and a pod', ['cgroup2'], async (t) => {
    await placed(t, [`pod${POD}`, CONTAINER], { container_id: CONTAINER, pod_uid: POD });
  }),

  scenario('systemd_service', 'a process in the cgroup of a systemd service', ['cgroup2'], async (t) => {
    await placed(t, ['truth.slice', 'probe@1.service'], { systemd_unit: 'probe@1.service' });
  }),

  scenario(
    'container_of_systemd',
    'a process in a container that systemd runs for a pod',
    ['cgroup2'],
    async (t) => {
      const slice = 'kubepods-burstable.slice';
      const pod = `kubepods-burstable-pod${POD.replaceAll('-', '_')}.slice`;
      await placed(t, [slice, pod, `cri-containerd-${CONTAINER}.scope`], {
        container_id: CONTAINER,
        pod_uid: POD,
        systemd_unit: slice,
      });
    },
  ),
];
