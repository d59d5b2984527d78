package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.Capabilities.AtomicConfig;
import io.github.cellfuse.implementations.Implementation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class OpenClTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void capabilitiesAreSane(ClDevice device) {
        Capabilities c = device.capabilities();
        assertFalse(c.name().isBlank());
        assertFalse(c.vendor().isBlank());
        assertFalse(c.driverVersion().isBlank());
        assertTrue(c.version().startsWith("OpenCL "), c.version());
        assertTrue(c.computeUnits() >= 1);
        assertTrue(c.maxAllocationBytes() >= 1 << 20 && c.maxAllocationBytes() <= c.globalMemoryBytes(), c.toString());
        assertTrue(c.localMemory() == Capabilities.LocalMemory.NONE || c.localMemoryBytes() >= 1 << 10);
        assertTrue(c.maxWorkGroupSize() >= 1);
        assertEquals(3, c.maxWorkItemSizes().size());
        c.maxWorkItemSizes().forEach(size -> assertTrue(size >= 1 && size <= c.maxWorkGroupSize(), c.toString()));
        assertTrue(c.addressAlignBits() >= 8);
        assertTrue(c.singlePrecision().roundToNearest() || c.singlePrecision().roundToZero());
        assertTrue(c.littleEndian());
        assertTrue(c.atLeast(1, 2));
        assertTrue(c.atLeast(1, 0));
        assertFalse(c.atLeast(99, 0));
    }

    /** What PoCL, rusticl and others report. */
    @ParameterizedTest
    @CsvSource({"0x77, true, true", "0x11, false, false", "0x13, true, false", "0x31, false, true", "0, false, false"})
    void atomicOperationsMayOrderMemory(String bits, boolean acquireRelease, boolean deviceScope) {
        assertEquals(new AtomicConfig(acquireRelease, deviceScope), AtomicConfig.of(Long.decode(bits)));
    }

    @Test
    void devicesAreNumberedByPlatformAndPlace() {
        for (ClPlatform platform : OpenCl.platforms()) {
            for (int d = 0; d < platform.devices().size(); d++) {
                ClDevice device = platform.devices().get(d);
                assertEquals(platform.index() + "." + d, device.id());
                assertEquals(platform.name(), device.platformName());
                assertSame(platform, OpenCl.platforms().get(device.platformIndex()));
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX) // how a loader is hidden is the system's own
    void withoutALoaderThereIsASentence() throws Exception {
        // The dynamic linker looks here first and gives up on what it finds, as on a machine without a loader.
        for (String name : List.of("libOpenCL.so.1", "libOpenCL.so")) {
            Files.writeString(folder.resolve(name), "no library");
        }
        ChildJvm.Result result = ChildJvm.run(Map.of("LD_LIBRARY_PATH", folder.toString()), List.of(), ProbeMain.class);
        assertOneProblem(result, 0, "no OpenCL loader", "apt install pocl-opencl-icd");
    }

    @Test
    void aMissingLoaderIsNoticedBeforeJoclSpoilsStandardOutput() throws Exception {
        Path index = Files.writeString(folder.resolve("ld.so.cache"), "glibc-ld.so.cache1.1\0libc.so.6\0");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Path full = Files.createDirectory(folder.resolve("full"));
        Files.createFile(full.resolve("libOpenCL.so.1"));
        assertTrue(NativeLibrary.certainlyNoLoader(index, List.of(empty)));
        assertFalse(NativeLibrary.certainlyNoLoader(index, List.of(empty, full)));
        assertFalse(NativeLibrary.certainlyNoLoader(folder.resolve("no index"), List.of(empty)));
        Files.writeString(index, "glibc-ld.so.cache1.1\0libOpenCL.so.1\0");
        assertFalse(NativeLibrary.certainlyNoLoader(index, List.of(empty)));
    }

    @Test
    void withoutANativeLibraryForTheProcessorThereIsASentence() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of("-Dos.arch=riscv64"), ProbeMain.class);
        assertOneProblem(result, 0, "no native library", "riscv64");
    }

    @Test
    void withoutATemporaryFolderThereIsASentence() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        ChildJvm.Result result =
                ChildJvm.run(Map.of(), List.of("-Djava.io.tmpdir=" + file.resolve("below")), ProbeMain.class);
        assertOneProblem(result, 0, "temporary folder", file.toString());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void withoutAPlatformThereIsASentence() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of("OCL_ICD_VENDORS", folder.toString()), List.of(), ProbeMain.class);
        assertOneProblem(result, 0, "no platform", "apt install pocl-opencl-icd");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aDriverThatDoesNotLoadLeavesNoPlatform() throws Exception {
        Files.writeString(folder.resolve("broken.icd"), "libno-such-driver.so\n");
        ChildJvm.Result result = ChildJvm.run(Map.of("OCL_ICD_VENDORS", folder.toString()), List.of(), ProbeMain.class);
        assertOneProblem(result, 0, "no platform", "dnf install pocl");
    }

    @Test
    void poclsDevicesAreCountedAndANameItLacksIsAReason() throws Exception {
        Assumptions.assumeTrue(Implementation.POCL.wanted(), "not run: -Dcellfuse.implementations leaves PoCL out");
        ChildJvm.Result two = ChildJvm.run(onPocl("pthread pthread"), List.of(), ProbeMain.class);
        assertEquals(3, two.out().lines().count(), two.out());
        assertTrue(two.out().contains("device 0.0 ") && two.out().contains("device 0.1 "), two.out());
        ChildJvm.Result none = ChildJvm.run(onPocl("no-such-device"), List.of(), ProbeMain.class);
        assertOneProblem(none, 1, "platform 0 (Portable Computing Language) has no device", "apt install");
    }

    /** PoCL alone lets its devices be chosen like this. */
    private static Map<String, String> onPocl(String devices) {
        Map<String, String> environment = new HashMap<>(Implementation.POCL.environment());
        environment.put("POCL_DEVICES", devices);
        return environment;
    }

    /** Installed beside a GPU's own driver it is there without a device, and nothing is amiss. */
    @Test
    void rusticlWithoutADeviceSaysHowItGetsOne() {
        Probe probe = Probe.run(new Stub() {
            @Override
            public String text(cl_platform_id platform, int name, String what) {
                return name == CL.CL_PLATFORM_NAME ? "rusticl" : what;
            }
        });
        assertEquals(
                "OpenCL platform 0 (rusticl) has no device; it offers those of the drivers that"
                        + " RUSTICL_ENABLE names, such as "
                        + "radeonsi (AMD), iris (Intel) or llvmpipe (the processor)",
                probe.problems().get(0));
    }

    @Test
    void anInterruptedThreadFindsTheSameDevices() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of(), InterruptedProbeMain.class);
        assertEquals(0, result.exit(), result.err());
        assertEquals(
                "devices " + OpenCl.devices().size() + ", interrupted true",
                result.out().strip());
    }

    /** PoCL itself lists no device then, and says nothing. */
    @ParameterizedTest
    @CsvSource({"POCL_CACHE_DIR, ''", "XDG_CACHE_HOME, pocl/kcache", "HOME, .cache/pocl/kcache"})
    @EnabledOnOs(OS.LINUX)
    void aFolderThatPoclCannotWriteToIsNamed(String variable, Path below) throws Exception {
        Assumptions.assumeTrue(Implementation.POCL.wanted(), "not run: -Dcellfuse.implementations leaves PoCL out");
        Path file = Files.createFile(folder.resolve("file"));
        Map<String, String> environment = new HashMap<>(Implementation.POCL.environment());
        List.of("POCL_CACHE_DIR", "XDG_CACHE_HOME", "HOME").forEach(name -> environment.put(name, null));
        for (Path wrong : List.of(file.resolve("below"), Path.of("/proc/no-such-folder"))) {
            environment.put(variable, wrong.toString());
            ChildJvm.Result result = ChildJvm.run(environment, List.of(), ProbeMain.class);
            assertOneProblem(
                    result, 1, wrong.resolve(below) + " (from " + variable + ")", "set POCL_CACHE_DIR to a folder");
        }
    }

    @Test
    void aFolderThatPoclCanWriteToIsNoProblem() throws Exception {
        Path file = Files.createFile(folder.resolve("file")), fine = folder.resolve("new/folder");
        assertEquals(Optional.empty(), PoclCache.problem(Map.of("POCL_CACHE_DIR", fine.toString())::get));
        // PoCL lists its devices here, and then builds nothing.
        String problem = PoclCache.problem(Map.of("POCL_CACHE_DIR", file.toString(), "HOME", fine.toString())::get)
                .orElseThrow();
        assertTrue(problem.contains(file + " (from POCL_CACHE_DIR): " + file + " is not a folder"), problem);
    }

    @Test
    void loadingLeavesNoLibraryBehind() throws Exception {
        ChildJvm.Result result =
                ChildJvm.run(Map.of(), List.of("-Djava.io.tmpdir=" + folder.toString()), ProbeMain.class);
        assertEquals(0, result.exit(), result.err());
        assertTrue(result.out().contains("device 0.0"), result.out());
        if (!System.getProperty("os.name").startsWith("Windows")) {
            try (var files = Files.list(folder)) {
                assertEquals(
                        List.of(),
                        files.filter(f -> f.toString().contains("JOCL")).toList());
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX) // elsewhere a loaded library needs its file, or nobody tells its name
    void aKilledProcessLeavesNoLibraryBehind() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of("-Djava.io.tmpdir=" + folder), ProbeMain.class, "halt");
        assertEquals(0, result.exit(), result.err());
        assertTrue(result.out().contains("device 0.0"), result.out());
        try (var files = Files.list(folder)) {
            assertEquals(List.of(), files.toList());
        }
    }

    private static void assertOneProblem(ChildJvm.Result result, int platforms, String... words) {
        assertEquals(0, result.exit(), result.err());
        // JOCL itself writes to standard output when a loader is there but does not load.
        List<String> lines = result.out()
                .lines()
                .filter(line -> !line.startsWith("Could not load"))
                .toList();
        assertEquals(2, lines.size(), result.out());
        assertTrue(lines.get(0).startsWith("problem "), result.out());
        for (String word : words) {
            assertTrue(lines.get(0).contains(word), result.out());
        }
        assertEquals("platforms " + platforms, lines.get(1));
    }

    /** A driver that answers nothing by itself. */
    private static class Stub implements Probe.Source {
        @Override
        public List<cl_platform_id> platforms() {
            return List.of(new cl_platform_id(), new cl_platform_id());
        }

        @Override
        public String text(cl_platform_id platform, int name, String what) {
            return what;
        }

        @Override
        public List<cl_device_id> devices(cl_platform_id platform, Capabilities.Type type) {
            return List.of();
        }

        @Override
        public Capabilities capabilities(cl_device_id device) {
            return TestDevices.first().capabilities();
        }
    }

    @Test
    void aPlatformWithoutDevicesKeepsItsPlaceAndAReason() {
        Probe probe = Probe.run(new Stub());
        assertEquals(2, probe.platforms().size());
        assertEquals(2, probe.problems().size());
        assertTrue(probe.problems().get(1).contains("platform 1 (platform name) has no device"), probe.toString());
    }

    @Test
    void aPlatformThatDoesNotAnswerKeepsItsPlaceAndAReason() {
        Probe probe = Probe.run(new Stub() {
            @Override
            public String text(cl_platform_id platform, int name, String what) {
                throw new ClException("clGetPlatformInfo", CL.CL_INVALID_PLATFORM, what);
            }
        });
        assertEquals(2, probe.platforms().size());
        assertEquals(2, probe.problems().size());
        assertTrue(probe.problems().get(0).contains("CL_INVALID_PLATFORM (-32)"), probe.toString());
    }

    @Test
    void aDeviceUnderSeveralTypesIsListedOnce() {
        Probe probe = Probe.run(new Stub() {
            @Override
            public List<cl_device_id> devices(cl_platform_id platform, Capabilities.Type type) {
                return List.of(new cl_device_id()); // equal by their null pointer
            }
        });
        assertEquals(1, probe.platforms().get(0).devices().size());
        assertEquals(List.of(), probe.problems());
    }

    @Test
    void oneFailingTypeDoesNotHideTheOthers() {
        Probe probe = Probe.run(new Stub() {
            @Override
            public List<cl_device_id> devices(cl_platform_id platform, Capabilities.Type type) {
                if (type == Capabilities.Type.GPU) {
                    throw new ClException("clGetDeviceIDs", CL.CL_OUT_OF_RESOURCES, "GPUs");
                }
                return List.of(new cl_device_id());
            }
        });
        assertEquals(1, probe.platforms().get(0).devices().size());
        assertTrue(probe.problems().get(0).contains("GPU"), probe.toString());
    }

    @Test
    void aDeviceThatDoesNotAnswerIsAReason() {
        Probe probe = Probe.run(new Stub() {
            @Override
            public List<cl_device_id> devices(cl_platform_id platform, Capabilities.Type type) {
                return List.of(new cl_device_id());
            }

            @Override
            public Capabilities capabilities(cl_device_id device) {
                throw new UnsatisfiedLinkError("clGetDeviceInfo");
            }
        });
        assertEquals(List.of(), probe.platforms().get(0).devices());
        assertEquals(2, probe.problems().size());
        assertNotNull(probe.problems().get(0));
    }

    @Test
    void aListOfPlatformsThatFailsIsAReason() {
        Probe probe = Probe.run(new Stub() {
            @Override
            public List<cl_platform_id> platforms() {
                throw new ClException("clGetPlatformIDs", CL.CL_OUT_OF_HOST_MEMORY, "the list of platforms");
            }
        });
        assertEquals(List.of(), probe.platforms());
        assertTrue(probe.problems().get(0).contains("CL_OUT_OF_HOST_MEMORY"), probe.toString());
    }
}
