package io.github.cellfuse.faults;

import io.github.cellfuse.implementations.Implementation;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The control of {@code src/test/native/fault_layer.c}: which OpenCL call fails, and how many succeeded. */
public final class FaultLayer {
    /** Names the control file in the environment of a process that runs with the layer. */
    private static final String CONTROL = "FAULT_CONTROL";

    private static final int ENTRY = 72, NAME = 40, CALLS = 40, FAIL_AT = 44, STATUS = 48, DELAY = 52, SUCCEEDED = 56;
    private static final int FLIP_AT = 60, FLIPS = 64;

    /** For each kind of object: the functions that create and retain it, and the one that releases it. */
    private static final Map<String, Kind> KINDS = Map.of(
            "contexts", new Kind(List.of("clCreateContext", "clRetainContext"), "clReleaseContext"),
            "queues", new Kind(List.of("clCreateCommandQueue", "clRetainCommandQueue"), "clReleaseCommandQueue"),
            "buffers", new Kind(List.of("clCreateBuffer", "clRetainMemObject"), "clReleaseMemObject"),
            "programs",
                    new Kind(
                            List.of("clCreateProgramWithSource", "clCreateProgramWithBinary", "clRetainProgram"),
                            "clReleaseProgram"),
            "kernels", new Kind(List.of("clCreateKernel", "clRetainKernel"), "clReleaseKernel"),
            "events", new Kind(List.of("event", "clRetainEvent"), "clReleaseEvent"),
            "mappings", new Kind(List.of("clEnqueueMapBuffer"), "clEnqueueUnmapMemObject"));

    private record Kind(List<String> created, String released) {}

    /** Whether this process has compiled the layer, which doesn't change while tests run. */
    private static boolean isCompiled;

    private final MappedByteBuffer table;
    private final Map<String, Integer> places = new LinkedHashMap<>();

    private FaultLayer(Path control) throws IOException {
        try (FileChannel channel = FileChannel.open(control, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            table = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
        }
        table.order(ByteOrder.nativeOrder());
        for (int at = 0; at < table.capacity(); at += ENTRY) {
            byte[] name = new byte[NAME];
            table.get(at, name);
            String text = new String(name, StandardCharsets.US_ASCII);
            places.put(text.substring(0, text.indexOf('\0')), at);
        }
    }

    /** Returns the layer that this process runs with, once the OpenCL loader has loaded it. */
    public static FaultLayer ofThisProcess() throws IOException {
        return new FaultLayer(Path.of(System.getenv(CONTROL)));
    }

    /** Returns the layer of the processes that run, or ran, with {@code control}. */
    public static FaultLayer of(Path control) throws IOException {
        return new FaultLayer(control);
    }

    /** Compiles the layer and returns the environment of a process that runs with it, on PoCL. */
    public static Map<String, String> environment(Path control) throws IOException, InterruptedException {
        Files.write(control, new byte[0]);
        Map<String, String> environment = new HashMap<>(Implementation.POCL.environment());
        environment.put("OPENCL_LAYERS", library().toString());
        environment.put(CONTROL, control.toString());
        return environment;
    }

    /** The same for a driver with {@code habits}, as {@code fault_layer.c} lists them, separated by commas. */
    public static Map<String, String> environment(Path control, String habits)
            throws IOException, InterruptedException {
        Map<String, String> environment = environment(control);
        environment.put("FAULT_HABITS", habits);
        return environment;
    }

    /**
     * Makes the first process that runs with {@code control} fail a call from its beginning. The layer keeps what is in
     * the file.
     */
    static void failFromTheBeginning(Path control, String function, int call, int status) throws IOException {
        FaultLayer layer = new FaultLayer(control);
        layer.failAt(function, call, status);
        layer.table.force();
    }

    /** Delays every call of {@code function} in all processes that run with {@code control} from now on. */
    static void delayFromTheBeginning(Path control, String function, int microseconds) throws IOException {
        FaultLayer layer = new FaultLayer(control);
        layer.delay(function, microseconds);
        layer.table.force();
    }

    private static synchronized Path library() throws IOException, InterruptedException {
        Path library = Path.of("target", "fault_layer.so").toAbsolutePath();
        if (!isCompiled) {
            compile("fault_layer.c", library);
            isCompiled = true;
        }
        return library;
    }

    /** Compiles a file of {@code src/test/native} to a library. */
    static void compile(String source, Path library) throws IOException, InterruptedException {
        Path temporary = Files.createTempFile("native", ".so");
        List<String> command = List.of(
                "cc",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-deprecated-declarations",
                "-fPIC",
                "-shared",
                "-o",
                temporary.toString(),
                Path.of("src", "test", "native", source).toString());
        Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (compiler.waitFor() != 0) {
            throw new AssertionError(output + "(bin/setup --tests installs a C compiler and OpenCL's headers)");
        }
        Files.move(temporary, library, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Returns the functions that have been called since {@link #reset}, with the number of calls. */
    public Map<String, Integer> calls() {
        Map<String, Integer> calls = new LinkedHashMap<>();
        places.forEach((name, at) -> {
            if (table.getInt(at + CALLS) > 0) {
                calls.put(name, table.getInt(at + CALLS));
            }
        });
        return calls;
    }

    /** Lets all calls succeed and counts them from zero. */
    public void reset() {
        for (int at : places.values()) {
            table.putInt(at + FAIL_AT, 0);
            table.putInt(at + DELAY, 0);
            table.putInt(at + CALLS, 0);
            table.putInt(at + FLIP_AT, 0);
            table.putInt(at + FLIPS, 0);
        }
    }

    /** Makes a call of {@code function} fail, the first one being 1. */
    public void failAt(String function, int call, int status) {
        int at = places.get(function);
        table.putInt(at + CALLS, 0);
        table.putInt(at + STATUS, status);
        table.putInt(at + FAIL_AT, call);
    }

    /**
     * Lets a device lie: from the {@code call}-th call of {@code function} on, the first one being 1, that call's
     * device gives values of which some have a wrong bit. {@code function} reads a buffer, or maps it for reading.
     */
    public void lieFrom(String function, int call) {
        int at = places.get(function);
        table.putInt(at + FLIPS, 0);
        table.putInt(at + FLIP_AT, call);
    }

    /** Returns how many calls of {@code function} could have lied since {@link #lieFrom}. */
    public int reads(String function) {
        return table.getInt(places.get(function) + FLIPS);
    }

    /** Returns whether the call that was to fail has failed. */
    public boolean hasFailed() {
        return places.values().stream()
                .anyMatch(
                        at -> table.getInt(at + FAIL_AT) > 0 && table.getInt(at + CALLS) >= table.getInt(at + FAIL_AT));
    }

    /** Delays every call of {@code function}. */
    public void delay(String function, int microseconds) {
        table.putInt(places.get(function) + DELAY, microseconds);
    }

    /** Returns the number of objects of each kind that exist. */
    public Map<String, Integer> objects() {
        Map<String, Integer> objects = new LinkedHashMap<>();
        KINDS.forEach((kind, functions) -> objects.put(
                kind, functions.created.stream().mapToInt(this::succeeded).sum() - succeeded(functions.released)));
        return objects;
    }

    private int succeeded(String function) {
        return table.getInt(places.get(function) + SUCCEEDED);
    }
}
