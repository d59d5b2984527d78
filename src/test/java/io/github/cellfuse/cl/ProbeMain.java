package io.github.cellfuse.cl;

/**
 * Prints what the probe finds: one line for each device and each problem. An argument ends it without shutdown hooks.
 */
final class ProbeMain {
    private ProbeMain() {}

    public static void main(String[] args) {
        OpenCl.devices()
                .forEach(d -> System.out.println(
                        "device " + d.id() + " " + d.capabilities().name()));
        OpenCl.problems().forEach(p -> System.out.println("problem " + p));
        System.out.println("platforms " + OpenCl.platforms().size());
        if (args.length > 0) {
            System.out.flush();
            Runtime.getRuntime().halt(0); // as if it were killed
        }
    }
}
