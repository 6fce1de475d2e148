"""Reads an offline run's folder back: its .wandb file and the media beside it."""

import json


def records_of(file):
    """The records of a .wandb file: a 7-byte header, then LevelDB log blocks of 32 KiB."""
    from wandb.proto import wandb_internal_pb2

    data = file.read_bytes()
    position, parts = 7, b""
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
            continue
        length = int.from_bytes(data[position + 4 : position + 6], "little")
        kind = data[position + 6]
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            yield record
            parts = b""


class OfflineRun:
    """What the only offline run below a folder holds."""

    def __init__(self, folder):
        (self.folder,) = folder.glob("wandb/offline-run-*")
        (file,) = self.folder.glob("run-*.wandb")
        found = [(one.WhichOneof("record_type"), one) for one in records_of(file)]
        self.bytes = file.read_bytes()
        self.run = next(one.run for kind, one in found if kind == "run")
        self.exit_code = next(one.exit.exit_code for kind, one in found if kind == "exit")
        self.config = {item.key: json.loads(item.value_json) for item in self.run.config.update}
        self.summary = _plain(i for k, one in found if k == "summary" for i in one.summary.update)
        self.history = _plain(i for k, one in found if k == "history" for i in one.history.item)

    def table(self, name):
        """Its columns and rows."""
        (file,) = self.folder.glob(f"files/media/table/{name}_*.table.json")
        content = json.loads(file.read_text())
        return content["columns"], content["data"]


def _plain(items):
    return {tuple(i.nested_key) or (i.key,): json.loads(i.value_json) for i in items}
