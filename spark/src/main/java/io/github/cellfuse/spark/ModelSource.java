package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.torch.SafetensorsIndex;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.graph.GraphOptions;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;

/**
 * A model as the driver read and checked it, and the bytes of a single file from which an executor reads the same
 * model. Immutable; the bytes are shared, not copied.
 *
 * @param about what executors need to know besides the bytes
 * @param bytes the bytes of the file
 * @param lstm the model; null if it is a graph
 * @param graph the graph; null if it is an LSTM
 */
record ModelSource(About about, byte[] bytes, LstmModel lstm, OnnxModel graph) {
    /** A scheme of Hadoop's, and not the drive of a Windows path. */
    private static final Pattern URI = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*", Pattern.DOTALL);

    /**
     * What is known of a model's bytes without having them.
     *
     * @param name the file's name, whose suffix says the format
     * @param digest SHA-256 of the bytes: equal models have one engine
     * @param isGraph whether it is a whole ONNX graph
     */
    record About(String name, String digest, boolean isGraph) implements Serializable {}

    /** Reads and checks a model. */
    interface Reader<R> {
        R read(Path file) throws IOException;
    }

    /**
     * Reads an LSTM from a local path or an URI of Hadoop's.
     *
     * @throws InvalidInputException if there is no such file, or it isn't the model of an LSTM
     */
    static ModelSource lstm(String path, Configuration hadoop) {
        return withFile(path, hadoop, file -> {
            LstmModel model = ModelFiles.read(file);
            byte[] own = SafetensorsIndex.isIndex(file) ? null : Files.readAllBytes(file);
            return inFolder(folder -> {
                Path written = folder.resolve("model.safetensors");
                try {
                    ModelFiles.write(model, written, true);
                } catch (InvalidInputException e) {
                    // Other equations than PyTorch's: the file itself then, whose format has them.
                    return of(file.getFileName().toString(), own, model, null);
                }
                return of("model.safetensors", Files.readAllBytes(written), model, null);
            });
        });
    }

    /**
     * Reads an ONNX graph from a local path or an URI of Hadoop's.
     *
     * @param outputs the outputs to compute
     * @throws InvalidInputException if there is no such file, it isn't such a model, or has its data in other files
     */
    static ModelSource graph(String path, List<String> outputs, Configuration hadoop) {
        return withFile(path, hadoop, file -> {
            OnnxFile read = OnnxFile.open(file);
            if (read.files().size() > 1) {
                throw new InvalidInputException(path + ": expected a model in one file, found one with external data, "
                        + "which isn't sent to executors; save it with its data inside");
            }
            OnnxModel model = OnnxModel.of(read, GraphOptions.DEFAULT.withOutputs(outputs));
            model.checkRunnable();
            return of(file.getFileName().toString(), Files.readAllBytes(file), null, model);
        });
    }

    private static ModelSource of(String name, byte[] bytes, LstmModel lstm, OnnxModel graph) {
        return new ModelSource(new About(name, digest(bytes), graph != null), bytes, lstm, graph);
    }

    /** Returns the LSTM in the bytes of a file. */
    static LstmModel readLstm(About about, byte[] bytes) {
        try {
            return inFolder(folder -> ModelFiles.read(Files.write(folder.resolve(about.name()), bytes)));
        } catch (IOException e) {
            throw new UncheckedIOException("the model's file can't be written to java.io.tmpdir", e);
        }
    }

    /** Returns the graph in the bytes of a file. */
    static OnnxModel readGraph(About about, byte[] bytes, List<String> outputs) {
        try {
            OnnxFile file = OnnxFile.of(Path.of(about.name()), ModelProto.parseFrom(bytes));
            return OnnxModel.of(file, GraphOptions.DEFAULT.withOutputs(outputs));
        } catch (IOException e) {
            throw new UncheckedIOException(about.name() + " was read on the driver, but not here", e);
        }
    }

    /** The file of a model. */
    record ModelBytes(String name, byte[] bytes) {}

    /** Returns the file of a model, or what executors get in its place if it is more than one file. */
    static ModelBytes file(String path, Configuration hadoop) {
        return withFile(path, hadoop, file -> {
            if (SafetensorsIndex.isIndex(file)) {
                ModelSource source = lstm(path, hadoop);
                return new ModelBytes(source.about().name(), source.bytes());
            }
            return new ModelBytes(file.getFileName().toString(), Files.readAllBytes(file));
        });
    }

    /** Returns what changes when the file does: its size and time. */
    static String stamp(String path, Configuration hadoop) {
        try {
            if (!URI.matcher(path).matches()) {
                Path file = Path.of(path);
                return Files.exists(file) ? Files.size(file) + " " + Files.getLastModifiedTime(file) : "";
            }
            org.apache.hadoop.fs.Path remote = new org.apache.hadoop.fs.Path(path);
            FileStatus status = remote.getFileSystem(hadoop).getFileStatus(remote);
            return status.getLen() + " " + status.getModificationTime();
        } catch (IOException e) {
            return ""; // reading it says what is wrong
        }
    }

    /** Calls {@code reader} with a local file: the path itself, or a copy that is deleted afterwards. */
    private static <R> R withFile(String path, Configuration hadoop, Reader<R> reader) {
        try {
            if (!URI.matcher(path).matches()) {
                return reader.read(Path.of(path));
            }
            if (path.toLowerCase(Locale.ROOT).startsWith("file:")) {
                return reader.read(
                        Path.of(new org.apache.hadoop.fs.Path(path).toUri().getPath()));
            }
            org.apache.hadoop.fs.Path remote = new org.apache.hadoop.fs.Path(path);
            FileSystem system = remote.getFileSystem(hadoop);
            return inFolder(folder -> {
                Path copy = folder.resolve(remote.getName());
                try (InputStream in = system.open(remote)) {
                    Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
                }
                return reader.read(copy);
            });
        } catch (IOException e) {
            throw new InvalidInputException(
                    "modelPath: expected a file that can be read, found " + path + " (" + e.getMessage() + ")", e);
        }
    }

    /** Calls {@code reader} with a new folder, which is deleted afterwards. */
    private static <R> R inFolder(Reader<R> reader) throws IOException {
        Path folder = Files.createTempDirectory("cellfuse-model");
        try {
            return reader.read(folder);
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException e) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static String digest(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
