//! The same bytes out for the same bytes in: any thread count, any order of arguments, any folder.

use crate::samples::samples;
use crate::support::{printed, root, whycert, whycert_in};

#[test]
fn threads_and_order_never_show() {
    let mut paths: Vec<String> = samples()
        .iter()
        .flat_map(|sample| sample.inputs.iter().map(|name| sample.folder.join(name).to_str().unwrap().to_owned()))
        .collect();
    for command in [&["facts", "--digest", "sha256"][..], &["diagnose", "--format", "json"], &["diagnose"]] {
        let run = |threads: &str, paths: &[String]| {
            let mut arguments: Vec<&str> = command.to_vec();
            arguments.extend(["--threads", threads]);
            arguments.extend(paths.iter().map(String::as_str));
            printed(&whycert(arguments))
        };
        let once = run("1", &paths);
        assert!(once.len() > 1000, "{command:?} printed {once}");
        assert_eq!(run("2", &paths), once, "{command:?} with 2 threads");
        paths.reverse();
        assert_eq!(run("16", &paths), once, "{command:?} with 16 threads and arguments reversed");
        paths.reverse();
    }
}

#[test]
fn no_path_of_the_machine_shows() {
    for sample in samples() {
        let absolute: Vec<_> = sample.inputs.iter().map(|name| root().join(&sample.folder).join(name)).collect();
        for command in [&["facts"][..], &["diagnose", "--format", "json"], &["diagnose"]] {
            let run = |arguments: &mut dyn Iterator<Item = std::ffi::OsString>| {
                let all = command.iter().map(Into::into).chain(arguments);
                printed(&whycert_in(&root().join(&sample.folder), all))
            };
            let by_path = run(&mut absolute.iter().map(|path| path.clone().into_os_string()));
            let by_name = run(&mut sample.inputs.iter().map(Into::into));
            assert_eq!(by_path, by_name, "{}", sample.folder.display());
            assert!(!by_path.contains(root().to_str().unwrap()), "{}", sample.folder.display());
        }
    }
}
