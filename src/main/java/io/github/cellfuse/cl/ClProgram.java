package io.github.cellfuse.cl;

import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_program;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A compiled program: the owner of its kernels. Safe for use from several threads. */
public final class ClProgram extends ClObject {
    private static final Logger LOG = LoggerFactory.getLogger(ClProgram.class);

    private final ClContext context;
    private final cl_program raw;
    private final String options;

    private ClProgram(ClContext context, cl_program raw, String options, Handle handle) {
        super(handle);
        this.context = context;
        this.raw = raw;
        this.options = options;
    }

    /** Builds and takes over {@code program}, which is released when that fails. */
    static ClProgram build(ClContext context, String name, cl_program program, String options) {
        String what = "program '" + name + "'";
        cl_device_id device = context.device().deviceId();
        SignalChaining.check(context.device());
        try {
            int status = Cl.build(program, device, options);
            String log = log(program, device, what, status);
            if (status != CL.CL_SUCCESS) {
                boolean isPocl = PoclCache.isPocl(context.device().platformName());
                String cache = isPocl
                        ? PoclCache.problem().map(problem -> problem + "\n").orElse("")
                        : "";
                throw new ClBuildException(status, what + " on " + context.device(), options, cache + log);
            }
            if (!log.isBlank()) {
                LOG.debug("{} on {}, built with \"{}\":\n{}", what, context.device(), options, log);
            }
        } catch (RuntimeException e) {
            Cleanup.after(e, () -> Cl.releaseProgram(program));
            throw e;
        }
        Handle handle = Handle.open(what, () -> Cl.releaseProgram(program), context.handle());
        return new ClProgram(context, program, options, handle);
    }

    /** Returns the compiler's log. A failure to read it neither hides a failed build nor fails one that succeeded. */
    private static String log(cl_program program, cl_device_id device, String what, int status) {
        try {
            return Cl.buildLog(program, device, what);
        } catch (ClException noLog) {
            return status == CL.CL_SUCCESS ? "" : noLog.getMessage();
        }
    }

    /** Returns the context that this program belongs to. */
    public ClContext context() {
        return context;
    }

    /** Returns the options that it was compiled with. */
    public String options() {
        return options;
    }

    /**
     * A new kernel object with no arguments set.
     *
     * @throws ClException when there is no kernel of that name
     */
    public ClKernel kernel(String name) {
        checkOpen();
        return ClKernel.open(this, raw, name);
    }

    /** Returns the compiled binary, or nothing if the driver doesn't expose it. */
    byte[] binary() {
        checkOpen();
        return Cl.binary(raw, toString());
    }
}
