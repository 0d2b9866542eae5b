// What of a container's data lies on its node and would be missing on another one: its volumes, unless their driver
// reaches every node, and folders of the host that it writes to.
import type { ContainerInspect, MountPoint, VolumeRow } from '../../docker/types.ts';

/** Places of the host that every node has for itself, and nobody keeps data in. */
const everywhere = /^\/(?:run|var\/run|dev|proc|sys|etc\/localtime)(?:\/|$)/;

/** The names of its volumes on the node, anonymous ones too. */
export function localVolumesOf(
  { Mounts }: ContainerInspect,
  volumes: ReadonlyMap<string, VolumeRow>,
): readonly string[] {
  return (Mounts ?? []).filter((mount) => isLocalVolume(mount, volumes)).map(({ Name = '' }) => Name);
}

/** For people, one text each: "volume db", "folder /srv". */
export function localDataOf({ Mounts }: ContainerInspect, volumes: ReadonlyMap<string, VolumeRow>): readonly string[] {
  return (Mounts ?? []).flatMap((mount) => {
    const { Name = '', Type, Source = '', Destination = '', RW = true } = mount;
    if (isLocalVolume(mount, volumes))
      return [/^[0-9a-f]{64}$/.test(Name) ? `volume at ${Destination}` : `volume ${Name}`];
    return Type === 'bind' && RW && !everywhere.test(Source) ? [`folder ${Source}`] : [];
  });
}

function isLocalVolume({ Type, Name = '' }: MountPoint, volumes: ReadonlyMap<string, VolumeRow>): boolean {
  return Type === 'volume' && volumes.get(Name)?.Scope !== 'global';
}
