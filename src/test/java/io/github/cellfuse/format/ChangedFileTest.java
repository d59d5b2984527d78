package io.github.cellfuse.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.FileRegion;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.format.torch.SafetensorsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Files that another process changes while they are read. */
class ChangedFileTest {
    private static final int COUNT = 100_000;

    @TempDir
    Path folder;

    /** What another process does to a file. */
    private enum Change {
        CUT_WITHIN_THE_LAST_PAGE {
            @Override
            void apply(Path file) throws IOException {
                truncate(file, Files.size(file) - 8);
            }
        },
        CUT_IN_HALF {
            @Override
            void apply(Path file) throws IOException {
                truncate(file, Files.size(file) / 2);
            }
        },
        EMPTIED {
            @Override
            void apply(Path file) throws IOException {
                truncate(file, 0);
            }
        },
        EXTENDED {
            @Override
            void apply(Path file) throws IOException {
                Files.write(file, new byte[8], StandardOpenOption.APPEND);
            }
        },
        OVERWRITTEN {
            @Override
            void apply(Path file) throws IOException {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.write(ByteBuffer.allocate(8), Files.size(file) - 8);
                }
                // However coarse the file system's clock is.
                Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis() + 5_000));
            }
        };

        abstract void apply(Path file) throws IOException;

        private static void truncate(Path file, long size) throws IOException {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(size);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Change.class)
    void readingAnArrayIsRefused(Change change) throws Exception {
        Path file = array();
        try (NpyArray array = NpyArray.open(file)) {
            assertEquals(1, array.readAll()[1]);
            change.apply(file);
            assertChanged(file, array::readAll);
            assertChanged(file, () -> array.read(COUNT - 1, FloatBuffer.allocate(1)));
        }
    }

    @ParameterizedTest
    @EnumSource(Change.class)
    void readingAnEntryOfAnArchiveIsRefused(Change change) throws Exception {
        for (String name : new String[] {"onnx/tagger.npz", "onnx/voice.npz"}) {
            Path file = copy(Path.of("src/test/resources", name));
            try (NpzArchive archive = NpzArchive.open(file)) {
                String entry = archive.names().get(0);
                NpyArray array = archive.array(entry);
                change.apply(file);
                assertChanged(file, () -> archive.array(entry));
                array.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Change.class)
    void readingATensorIsRefused(Change change) throws Exception {
        Path file = copy(Path.of("examples/sunspots/model.safetensors"));
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            change.apply(file);
            String name = tensors.tensors().keySet().iterator().next();
            assertChanged(file, () -> tensors.readFloats(name));
        }
    }

    @ParameterizedTest
    @EnumSource(Change.class)
    void readingARegionIsRefused(Change change) throws Exception {
        Path file = array();
        try (FileRegion region = FileRegion.open(file)) {
            change.apply(file);
            assertChanged(file, () -> region.bytes(region.size() - 1, 1));
        }
    }

    /** As programs do that write to another name first. */
    @Test
    void aFileThatIsReplacedOrDeletedIsReadAsItWas() throws Exception {
        Path file = array();
        try (NpyArray array = NpyArray.open(file)) {
            float[] before = array.readAll();
            Path other = Files.writeString(folder.resolve("other"), "another file");
            Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
            assertArrayEquals(before, array.readAll());
            Files.delete(file);
            assertArrayEquals(before, array.readAll());
        }
    }

    private static void assertChanged(Path file, Executable reading) {
        InvalidInputException e = assertThrows(InvalidInputException.class, reading);
        assertTrue(e.getMessage().startsWith(file + ": the file changed while it was read: expected "), e.getMessage());
    }

    private Path array() {
        Path file = folder.resolve("x.npy");
        float[] values = new float[COUNT];
        for (int k = 0; k < COUNT; k++) {
            values[k] = k;
        }
        try (NpyWriter writer = NpyWriter.create(file, true, COUNT)) {
            writer.write(0, FloatBuffer.wrap(values));
            writer.commit();
        }
        return file;
    }

    private Path copy(Path file) throws IOException {
        return Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
    }
}
