package io.github.cellfuse.cl;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The result of examining the machine's OpenCL: the platforms, and a sentence for each thing that is missing. */
record Probe(List<ClPlatform> platforms, List<String> problems) {
    private static final Logger LOG = LoggerFactory.getLogger(Probe.class);

    private static final String RUSTICL =
            "it offers those of the drivers that RUSTICL_ENABLE names, such as radeonsi (AMD), iris "
                    + "(Intel) or llvmpipe (the processor)";

    Probe {
        platforms = List.copyOf(platforms);
        problems = List.copyOf(problems);
    }

    /** The queries of a probe: answered by the driver, or in tests by a stand-in that misbehaves. */
    interface Source {
        List<cl_platform_id> platforms();

        String text(cl_platform_id platform, int name, String what);

        List<cl_device_id> devices(cl_platform_id platform, Capabilities.Type type);

        Capabilities capabilities(cl_device_id device);
    }

    private static final Source DRIVER = new Source() {
        @Override
        public List<cl_platform_id> platforms() {
            return Cl.platforms();
        }

        @Override
        public String text(cl_platform_id platform, int name, String what) {
            return Cl.platformString(platform, name, what);
        }

        @Override
        public List<cl_device_id> devices(cl_platform_id platform, Capabilities.Type type) {
            return Cl.devices(platform, type.flag());
        }

        @Override
        public Capabilities capabilities(cl_device_id device) {
            return Capabilities.of(device);
        }
    };

    /** Examines this machine. Never throws. */
    static Probe run() {
        String missing = NativeLibrary.load();
        if (!missing.isEmpty()) {
            return new Probe(List.of(), List.of(missing));
        }
        Optional<Rehearsal> rehearsal = Rehearsal.ofThisProcess();
        Optional<String> fatal = rehearsal.flatMap(Rehearsal::begin);
        if (fatal.isPresent()) {
            return new Probe(List.of(), List.of(fatal.get()));
        }
        Probe found = run(DRIVER);
        rehearsal.ifPresent(Rehearsal::done);
        return found;
    }

    /** Examines {@code source}. Never throws. */
    static Probe run(Source source) {
        List<String> problems = new ArrayList<>();
        List<ClPlatform> platforms = new ArrayList<>();
        List<cl_platform_id> ids = List.of();
        try {
            ids = source.platforms();
            if (ids.isEmpty()) {
                problems.add("OpenCL is installed but has no platform; " + Status.INSTALL);
            }
        } catch (RuntimeException | LinkageError e) {
            problems.add("OpenCL's platforms could not be listed: " + reason(e));
        }
        for (cl_platform_id id : ids) {
            platforms.add(platform(source, platforms.size(), id, problems));
        }
        return new Probe(platforms, problems);
    }

    /** A platform that does not answer keeps its place, so that the others keep their numbers. */
    private static ClPlatform platform(Source source, int index, cl_platform_id id, List<String> problems) {
        String label = "OpenCL platform " + index;
        String name = "";
        String vendor = "";
        String version = "";
        List<String> extensions = List.of();
        List<ClDevice> devices = new ArrayList<>();
        int before = problems.size();
        try {
            name = source.text(id, CL.CL_PLATFORM_NAME, "platform name");
            label += " (" + name + ")";
            version = source.text(id, CL.CL_PLATFORM_VERSION, "platform version");
            vendor = optional(source, id, CL.CL_PLATFORM_VENDOR, "platform vendor");
            extensions = Cl.words(optional(source, id, CL.CL_PLATFORM_EXTENSIONS, "platform extensions"));
            for (cl_device_id device : deviceIds(source, id, label, problems)) {
                try {
                    Capabilities capabilities = source.capabilities(device);
                    devices.add(new ClDevice(index, devices.size(), name, version, capabilities, id, device));
                } catch (RuntimeException | LinkageError e) {
                    problems.add(label + ": a device does not answer: " + reason(e));
                }
            }
        } catch (RuntimeException | LinkageError e) {
            problems.add(label + " does not answer: " + reason(e));
        }
        if (devices.isEmpty() && problems.size() == before) {
            problems.add(label + " has no device; " + remedy(name));
        }
        return new ClPlatform(index, name, vendor, version, extensions, devices);
    }

    /** Returns a text that nothing depends on: empty if the driver doesn't answer. */
    private static String optional(Source source, cl_platform_id id, int name, String what) {
        try {
            return source.text(id, name, what);
        } catch (ClException notTold) {
            return "";
        }
    }

    private static String remedy(String platform) {
        if (platform.equals("rusticl")) {
            return RUSTICL;
        }
        Optional<String> cache = PoclCache.isPocl(platform) ? PoclCache.problem() : Optional.empty();
        return cache.orElse(Status.INSTALL);
    }

    /** Asks for one type at a time: Mesa's rusticl 22.3 answers CL_DEVICE_TYPE_ALL with CL_INVALID_DEVICE_TYPE. */
    private static List<cl_device_id> deviceIds(Source source, cl_platform_id id, String label, List<String> problems) {
        List<List<cl_device_id>> found = new ArrayList<>();
        for (Capabilities.Type type : Capabilities.Type.values()) {
            try {
                found.add(source.devices(id, type));
            } catch (RuntimeException | LinkageError e) {
                problems.add(label + ": devices of type " + type + " could not be listed: " + reason(e));
            }
        }
        return Cl.distinct(found);
    }

    private static String reason(Throwable e) {
        LOG.debug("OpenCL probe", e);
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
