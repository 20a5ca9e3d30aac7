"""All readers by name."""

from tests.fuzz.data_readers import data_readers
from tests.fuzz.readers import written_readers
from tests.fuzz.study_readers import study_readers

READERS = {
    reader.name: reader for reader in (*written_readers(), *study_readers(), *data_readers())
}
