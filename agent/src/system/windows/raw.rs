//! The calls of Windows that nobody has wrapped: the one place with unsafe code on this system.
//!
//! Each function is a few calls that belong together, takes and gives back owned things, and leaves nothing open.

#![expect(unsafe_code, reason = "there are no safe wrappers; each block says why it is right")]

use std::ffi::{OsStr, OsString, c_void};
use std::fs::File;
use std::io;
use std::mem::size_of;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::path::{Component, Path, PathBuf, Prefix};
use std::ptr::{null, null_mut};
use std::time::Duration;

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use windows_sys::Win32::Foundation::{
    HANDLE, HANDLE_FLAG_INHERIT, LocalFree, SetHandleInformation, WAIT_OBJECT_0,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, CreateRestrictedToken, CreateWellKnownSid, DACL_SECURITY_INFORMATION,
    DISABLE_MAX_PRIVILEGE, GetLengthSid, GetTokenInformation, LABEL_SECURITY_INFORMATION,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES,
    SECURITY_MAX_SID_SIZE, SID_AND_ATTRIBUTES, SetFileSecurityW, SetTokenInformation, TOKEN_ADJUST_DEFAULT,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_ASSIGN_PRIMARY, TOKEN_DUPLICATE, TOKEN_MANDATORY_LABEL, TOKEN_QUERY,
    TOKEN_USER, TokenIntegrityLevel, TokenUser, WinBuiltinAdministratorsSid, WinBuiltinBackupOperatorsSid,
    WinBuiltinPowerUsersSid, WinBuiltinSystemOperatorsSid, WinLowLabelSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, GetDiskFreeSpaceExW, GetDriveTypeW, GetFileInformationByHandle,
    GetFinalPathNameByHandleW, MOVEFILE_WRITE_THROUGH, MoveFileExW,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_ACTIVE_PROCESS,
    JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION, JOB_OBJECT_LIMIT_JOB_MEMORY, JOB_OBJECT_LIMIT_JOB_TIME,
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOB_OBJECT_LIMIT_PROCESS_MEMORY,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
};
use windows_sys::Win32::System::SystemServices::SE_GROUP_INTEGRITY;
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT, CreateProcessAsUserW, DETACHED_PROCESS,
    DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT, GetCurrentProcess, GetExitCodeProcess,
    INFINITE, InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST, OpenProcessToken,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROCESS_INFORMATION, ResumeThread, STARTF_USESTDHANDLES,
    STARTUPINFOEXW, UpdateProcThreadAttribute, WaitForSingleObject,
};

/// A text as the system takes it: UTF-16 with a zero at its end.
fn wide(text: &OsStr) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = text.encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a name must not contain a zero byte"));
    }
    units.push(0);
    Ok(units)
}

/// A path as the system takes it, also a long one.
fn wide_path(path: &Path) -> io::Result<Vec<u16>> {
    let path = std::path::absolute(path)?;
    let mut text = OsString::new();
    let plain = matches!(path.components().next(), Some(Component::Prefix(it)) if matches!(it.kind(), Prefix::Disk(_)));
    if plain && path.as_os_str().len() > 240 {
        text.push(r"\\?\");
    }
    text.push(path);
    wide(&text)
}

/// The outcome of a call that answers 0 when it fails.
fn done(answer: i32) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn size<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}

/// A security descriptor that the system made of a text.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    fn of(text: &str) -> io::Result<Self> {
        let text = wide(OsStr::new(text))?;
        let mut made = null_mut();
        // SAFETY: the text ends with a zero; the answer is freed once, in `drop`.
        done(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                null_mut(),
            )
        })?;
        Ok(Self(made))
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system allocated it for us, and nothing points into it any more.
        unsafe { LocalFree(self.0) };
    }
}

/// Whether a file or folder has got its label of integrity.
#[derive(Debug)]
#[must_use = "without its label more may be read or written than is meant"]
pub(crate) enum Labelled {
    Yes,
    /// The system has no such labels, or not there.
    No(io::Error),
}

/// Gives a file or folder the rights, and the label of integrity, that a security descriptor in text form names.
///
/// The rights come first, by themselves: to set the label takes one that they may be the first to give, and there are
/// systems without labels.
///
/// # Errors
/// When it has not got the rights.
pub(crate) fn set_security(path: &Path, descriptor: &str) -> io::Result<Labelled> {
    let (path, descriptor) = (wide_path(path)?, Descriptor::of(descriptor)?);
    // SAFETY: both are valid for the time of the call, and the path ends with a zero.
    let set = |parts| done(unsafe { SetFileSecurityW(path.as_ptr(), parts, descriptor.0) });
    set(DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION)?;
    Ok(set(LABEL_SECURITY_INFORMATION).map_or_else(Labelled::No, |()| Labelled::Yes))
}

/// The number of an open file's disk, and its own on that.
pub(crate) fn file_number(file: &File) -> io::Result<(u64, u64)> {
    let mut it = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open; the answer goes into a structure of the right type.
    done(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut it) })?;
    let number = u64::from(it.nFileIndexHigh) << 32 | u64::from(it.nFileIndexLow);
    Ok((it.dwVolumeSerialNumber.into(), number))
}

/// A named pipe that only those can open whom the descriptor lets.
pub(crate) fn pipe(name: &OsStr, first: bool, descriptor: &str) -> io::Result<NamedPipeServer> {
    let descriptor = Descriptor::of(descriptor)?;
    let mut attributes = SECURITY_ATTRIBUTES {
        nLength: size::<SECURITY_ATTRIBUTES>(),
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    let mut options = ServerOptions::new();
    options.first_pipe_instance(first).reject_remote_clients(true);
    // SAFETY: the pointer is to a whole SECURITY_ATTRIBUTES, valid for the time of the call.
    unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
}

/// Free bytes for this user, and all bytes, of the disk of a folder.
pub(crate) fn room(folder: &Path) -> io::Result<(u64, u64)> {
    let (folder, mut free, mut all) = (wide_path(folder)?, 0, 0);
    // SAFETY: the path ends with a zero; the answers go into two variables of the right type.
    done(unsafe { GetDiskFreeSpaceExW(folder.as_ptr(), &raw mut free, &raw mut all, null_mut()) })?;
    Ok((free, all))
}

/// Renames over nothing that is there, and waits until that is on the disk.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide_path(from)?, wide_path(to)?);
    // SAFETY: both paths end with a zero.
    done(unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), MOVEFILE_WRITE_THROUGH) })
}

/// Where an open file or folder lies, with no link in its path.
pub(crate) fn final_path(file: &File) -> io::Result<PathBuf> {
    let mut units = vec![0_u16; 1024];
    loop {
        let room = u32::try_from(units.len()).unwrap_or(u32::MAX);
        // SAFETY: the system writes at most as many units as it is told that there are.
        let length = unsafe { GetFinalPathNameByHandleW(file.as_raw_handle(), units.as_mut_ptr(), room, 0) };
        let length = usize::try_from(length).map_err(io::Error::other)?;
        if length == 0 {
            return Err(io::Error::last_os_error());
        }
        match units.get(..length) {
            // It is told without the zero at its end.
            Some(path) if length < units.len() => return Ok(OsString::from_wide(path).into()),
            _ => units.resize(length + 1, 0),
        }
    }
}

/// True for a drive, like `Z:\`, that another machine has.
pub(crate) fn is_remote(root: &Path) -> io::Result<bool> {
    /// `DRIVE_REMOTE`, which the bindings keep in a part that has nothing else for us.
    const REMOTE: u32 = 4;
    let root = wide(root.as_os_str())?;
    // SAFETY: the path ends with a zero.
    Ok(unsafe { GetDriveTypeW(root.as_ptr()) } == REMOTE)
}

/// What all processes of a job may take together; `None`: as much as there is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JobLimits {
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) processor_time: Option<Duration>,
    pub(crate) processes: Option<u32>,
}

/// A job: processes that are limited together, and end together when the last handle of it is closed.
#[derive(Debug)]
pub(crate) struct Job(OwnedHandle);

impl Job {
    pub(crate) fn new(limits: &JobLimits) -> io::Result<Self> {
        // SAFETY: neither attributes nor a name are asked for; the handle is ours from here on.
        let job = unsafe {
            let job = CreateJobObjectW(null(), null());
            if job.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(job)
        };
        let mut all = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        let basic = &mut all.BasicLimitInformation;
        basic.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
        if let Some(time) = limits.processor_time {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_JOB_TIME;
            basic.PerJobUserTimeLimit = i64::try_from(time.as_nanos() / 100).unwrap_or(i64::MAX);
        }
        if let Some(processes) = limits.processes {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
            basic.ActiveProcessLimit = processes;
        }
        if let Some(bytes) = limits.memory_bytes {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_PROCESS_MEMORY | JOB_OBJECT_LIMIT_JOB_MEMORY;
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            (all.ProcessMemoryLimit, all.JobMemoryLimit) = (bytes, bytes);
        }
        // SAFETY: the pointer and the size are those of the structure that this class asks for.
        done(unsafe {
            SetInformationJobObject(
                job.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const all).cast(),
                size::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>(),
            )
        })?;
        Ok(Self(job))
    }

    /// Puts this process in, and so all that it starts from now on.
    pub(crate) fn take_this_process(&self) -> io::Result<()> {
        // SAFETY: the handle of this process is always valid, and needs no closing.
        done(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), GetCurrentProcess()) })
    }

    fn take(&self, process: &OwnedHandle) -> io::Result<()> {
        // SAFETY: both handles are open.
        done(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), process.as_raw_handle()) })
    }
}

/// What a process may do.
#[derive(Debug)]
pub(crate) struct Token(OwnedHandle);

/// A well-known SID, aligned like the system's own.
struct KnownSid([u32; (SECURITY_MAX_SID_SIZE as usize).div_ceil(4)]);

impl KnownSid {
    fn of(kind: i32) -> io::Result<Self> {
        let mut sid = Self([0; _]);
        let mut room = SECURITY_MAX_SID_SIZE;
        // SAFETY: there is room for the longest SID.
        done(unsafe { CreateWellKnownSid(kind, null_mut(), sid.as_ptr(), &raw mut room) })?;
        Ok(sid)
    }

    fn as_ptr(&mut self) -> PSID {
        self.0.as_mut_ptr().cast()
    }
}

impl Token {
    fn own(access: u32) -> io::Result<Self> {
        let mut token: HANDLE = null_mut();
        // SAFETY: the handle of this process is always valid; the answer is ours from here on.
        unsafe {
            done(OpenProcessToken(GetCurrentProcess(), access, &raw mut token))?;
            Ok(Self(OwnedHandle::from_raw_handle(token)))
        }
    }

    /// This process's, without any privilege, and as no administrator or operator whatever the user is.
    pub(crate) fn restricted() -> io::Result<Self> {
        let own = Self::own(TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT)?;
        let mut groups = [
            WinBuiltinAdministratorsSid,
            WinBuiltinPowerUsersSid,
            WinBuiltinBackupOperatorsSid,
            WinBuiltinSystemOperatorsSid,
        ]
        .into_iter()
        .map(KnownSid::of)
        .collect::<io::Result<Vec<_>>>()?;
        let denied: Vec<_> =
            groups.iter_mut().map(|it| SID_AND_ATTRIBUTES { Sid: it.as_ptr(), Attributes: 0 }).collect();
        let count = u32::try_from(denied.len()).map_err(io::Error::other)?;
        let mut token: HANDLE = null_mut();
        // SAFETY: the list has as many entries as it is told, whose SIDs live until the call returns.
        unsafe {
            done(CreateRestrictedToken(
                own.0.as_raw_handle(),
                DISABLE_MAX_PRIVILEGE,
                count,
                denied.as_ptr(),
                0,
                null(),
                0,
                null(),
                &raw mut token,
            ))?;
            Ok(Self(OwnedHandle::from_raw_handle(token)))
        }
    }

    /// Takes it to low integrity: whoever has it can write nothing that is not labelled for that.
    pub(crate) fn lower(&self) -> io::Result<()> {
        let mut low = KnownSid::of(WinLowLabelSid)?;
        let label = TOKEN_MANDATORY_LABEL {
            Label: SID_AND_ATTRIBUTES { Sid: low.as_ptr(), Attributes: SE_GROUP_INTEGRITY.cast_unsigned() },
        };
        // SAFETY: the structure is the one that this class asks for, with the SID that it points to.
        done(unsafe {
            let room = size::<TOKEN_MANDATORY_LABEL>() + GetLengthSid(low.as_ptr());
            SetTokenInformation(self.0.as_raw_handle(), TokenIntegrityLevel, (&raw const label).cast(), room)
        })
    }
}

/// Takes all privileges from this process, and lowers its integrity.
pub(crate) fn lower_this_process() -> io::Result<()> {
    let own = Token::own(TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES | TOKEN_ADJUST_DEFAULT)?;
    // SAFETY: with the flag that all are meant no list is read.
    done(unsafe { AdjustTokenPrivileges(own.0.as_raw_handle(), 1, null(), 0, null_mut(), null_mut()) })?;
    own.lower()
}

/// The SID of this process's user, in text form.
pub(crate) fn user_sid() -> io::Result<String> {
    let own = Token::own(TOKEN_QUERY)?;
    let mut buffer = [0_u64; 32];
    let mut used = 0;
    let room = u32::try_from(size_of_val(&buffer)).map_err(io::Error::other)?;
    // SAFETY: the buffer is aligned for the structure and as large as is said; its SID lies in it, too. The text is
    // freed once after it was copied.
    unsafe {
        let to: *mut c_void = buffer.as_mut_ptr().cast();
        done(GetTokenInformation(own.0.as_raw_handle(), TokenUser, to, room, &raw mut used))?;
        let user: *const TOKEN_USER = to.cast_const().cast();
        let mut text = null_mut();
        done(ConvertSidToStringSidW((*user).User.Sid, &raw mut text))?;
        let length = (0..256).take_while(|at| *text.add(*at) != 0).count();
        let sid = OsString::from_wide(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(sid.to_string_lossy().into_owned())
    }
}

/// A program to be started.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    /// The whole command line, quoted as programs of this system read it.
    pub(crate) command_line: &'a OsStr,
    pub(crate) environment: &'a [(OsString, OsString)],
    pub(crate) folder: &'a Path,
    pub(crate) token: &'a Token,
    pub(crate) job: &'a Job,
    /// Standard input, output and error: all that it inherits.
    pub(crate) pipes: [BorrowedHandle<'a>; 3],
}

/// A process that does not run yet, in its job.
#[derive(Debug)]
pub(crate) struct Suspended {
    process: OwnedHandle,
    thread: OwnedHandle,
}

/// Room for one attribute of a process to be started.
struct Attributes(Vec<u64>);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut bytes = 0;
        // SAFETY: without a list only the size that it would need is answered, by an error.
        unsafe { InitializeProcThreadAttributeList(null_mut(), 1, 0, &raw mut bytes) };
        let mut list = Self(vec![0; bytes.div_ceil(8)]);
        // SAFETY: the list is as large as was asked for, aligned, and does not move while it is in use.
        done(unsafe { InitializeProcThreadAttributeList(list.as_ptr(), 1, 0, &raw mut bytes) })?;
        Ok(list)
    }

    fn as_ptr(&mut self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.0.as_mut_ptr().cast()
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised in `new`.
        unsafe { DeleteProcThreadAttributeList(self.as_ptr()) };
    }
}

impl Start<'_> {
    /// Makes the process, which inherits its pipes and nothing else, and puts it into the job before it runs.
    pub(crate) fn suspended(&self) -> io::Result<Suspended> {
        let (program, folder) = (wide(self.program.as_os_str())?, wide(self.folder.as_os_str())?);
        let mut command_line = wide(self.command_line)?;
        let environment = block(self.environment)?;
        let mut inherited: Vec<HANDLE> = self.pipes.iter().map(AsRawHandle::as_raw_handle).collect();
        let mut startup = STARTUPINFOEXW::default();
        startup.StartupInfo.cb = size::<STARTUPINFOEXW>();
        startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        let [input, output, error] = self.pipes.map(|it| it.as_raw_handle());
        startup.StartupInfo.hStdInput = input;
        startup.StartupInfo.hStdOutput = output;
        startup.StartupInfo.hStdError = error;
        for handle in &inherited {
            // SAFETY: the handle is open: it is borrowed.
            done(unsafe { SetHandleInformation(*handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) })?;
        }
        inherited.sort_unstable();
        inherited.dedup();
        let mut attributes = Attributes::new()?;
        startup.lpAttributeList = attributes.as_ptr();
        let mut made = PROCESS_INFORMATION::default();
        let flags =
            CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | DETACHED_PROCESS | EXTENDED_STARTUPINFO_PRESENT;
        // SAFETY: everything that is pointed to lives until the process is made; texts end with a zero, the
        // environment with two; the command line may be written to. Both handles that are answered are ours.
        let made = unsafe {
            done(UpdateProcThreadAttribute(
                startup.lpAttributeList,
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                inherited.as_ptr().cast(),
                size_of_val(inherited.as_slice()),
                null_mut(),
                null(),
            ))?;
            done(CreateProcessAsUserW(
                self.token.0.as_raw_handle(),
                program.as_ptr(),
                command_line.as_mut_ptr(),
                null(),
                null(),
                1,
                flags,
                environment.as_ptr().cast(),
                folder.as_ptr(),
                (&raw const startup).cast(),
                &raw mut made,
            ))?;
            Suspended {
                process: OwnedHandle::from_raw_handle(made.hProcess),
                thread: OwnedHandle::from_raw_handle(made.hThread),
            }
        };
        if let Err(error) = self.job.take(&made.process) {
            made.kill();
            return Err(error);
        }
        Ok(made)
    }
}

/// An environment as the system takes it: sorted, each entry with a zero at its end, and one more.
fn block(environment: &[(OsString, OsString)]) -> io::Result<Vec<u16>> {
    let mut entries = Vec::new();
    for (name, value) in environment {
        let mut entry = name.clone();
        entry.push("=");
        entry.push(value);
        entries.push(wide(&entry)?);
    }
    entries.sort();
    let mut block = entries.concat();
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    Ok(block)
}

impl Suspended {
    /// Lets it run, and waits for its end; answers its code.
    pub(crate) fn run(self) -> io::Result<u32> {
        let mut code = 0;
        // SAFETY: both handles are open; the code goes into a variable of the right type.
        unsafe {
            if ResumeThread(self.thread.as_raw_handle()) == u32::MAX {
                let error = io::Error::last_os_error();
                self.kill();
                return Err(error);
            }
            if WaitForSingleObject(self.process.as_raw_handle(), INFINITE) != WAIT_OBJECT_0 {
                return Err(io::Error::last_os_error());
            }
            done(GetExitCodeProcess(self.process.as_raw_handle(), &raw mut code))?;
        }
        Ok(code)
    }

    fn kill(&self) {
        use windows_sys::Win32::System::Threading::TerminateProcess;
        // SAFETY: the handle is open. That it has ended already is no failure.
        unsafe { TerminateProcess(self.process.as_raw_handle(), 1) };
    }
}

/// Closes the pipes of this process, so that only the program that got them holds them.
///
/// Nothing in this process reads or writes them afterwards.
pub(crate) fn close_pipes() {
    for pipe in [
        io::stdin().as_handle().as_raw_handle(),
        io::stdout().as_handle().as_raw_handle(),
        io::stderr().as_handle().as_raw_handle(),
    ] {
        // SAFETY: the helper is about to do nothing but wait, so nobody uses them again.
        drop(unsafe { OwnedHandle::from_raw_handle(pipe) });
    }
}
